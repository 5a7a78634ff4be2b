"""Submissions, reviews and retries of many at once, by two API processes and two workers: one decision, one entry each.

What holds of the whole pipeline at any time is looked at after each test (`Servers.asked`).
"""

import asyncio
import base64
import json
from typing import Any

from tests.cluster.attempts import Attempt, People, approval, counted, rejection
from tests.cluster.conftest import KEY
from tests.cluster.pipeline import Cluster, Servers
from tests.packages.test_signatures import envelope, statement
from tests.packages.world import MANIFEST

ROUNDS = 10
DECIDED = {
    "APPROVED": "DEPLOYMENT_APPROVED",
    "REJECTED": "DEPLOYMENT_REJECTED",
    "WITHDRAWN": "DEPLOYMENT_WITHDRAWN",
    "EXPIRED": "REVIEW_EXPIRED",
}
GONE_LIVE = ("DEPLOYMENT_STARTED", "DEPLOYMENT_COMPLETED")
RESTRICTED: dict[str, Any] = {"data": MANIFEST["data"] | {"classification": "restricted"}}
SICK = {"kind": "command", "command": ["python", "-c", "raise SystemExit(1)"], "timeoutS": 10}


def signed(digest: str) -> bytes:
    said = json.dumps(statement(subject=[{"name": "triage", "digest": {"sha256": digest}}])).encode()
    kind = b"application/vnd.in-toto+json"
    made = KEY.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(said), said))
    return envelope(said, signatures=[{"sig": base64.b64encode(made).decode()}])


async def in_review(cluster: Cluster, people: People, slug: str, **declared: Any) -> Any:
    """A deployment of an agent of its own that waits for reviewers."""
    agent_id = await cluster.registered(people.dev, slug)
    digest = await cluster.uploaded(people.dev, slug, "1.0.0", **declared)
    if declared.get("data", MANIFEST["data"])["classification"] == "restricted":
        await cluster.sign(people.dev, digest, signed(digest))
    made = await cluster.done(people.dev, "submitDeployment", agentId=agent_id, packageDigest=digest)
    return await cluster.until(people.dev, made["deployment"]["id"], "IN_REVIEW", "INVALID")


async def all_in_review(cluster: Cluster, people: People, slug: str, **declared: Any) -> list[Any]:
    made = await asyncio.gather(
        *(in_review(cluster, people, f"{slug}-{number}", **declared) for number in range(ROUNDS))
    )
    assert {each["status"] for each in made} == {"IN_REVIEW"}, made[0]
    return made


async def decision(cluster: Cluster, people: People, deployment: Any) -> str:
    """The one that the audit log has; of the deployment and its review it is the same one."""
    actions = await cluster.on_record(people.auditor, deployment["id"])
    (status,) = [status for status, action in DECIDED.items() for each in actions if each == action]
    found = await cluster.look(people.dev, deployment["id"])
    assert found["review"]["status"] == status
    if status == "APPROVED":
        await cluster.until(people.dev, deployment["id"], "LIVE")
        actions = await cluster.on_record(people.auditor, deployment["id"])
        assert counted(actions, *GONE_LIVE) == [1, 1]
    else:
        assert found["status"] == status
        assert counted(actions, *GONE_LIVE) == [0, 0]
    votes = 1 if status in {"APPROVED", "REJECTED"} else 0
    assert (len(found["review"]["votes"]), actions.count("REVIEW_VOTED")) == (votes, votes)
    return status


async def test_of_all_who_decide_one_does(servers: Servers, people: People) -> None:
    bob, cyd, dee, eli = people.reviewers
    async with servers.asked(people.auditor) as cluster:
        for number, made in enumerate(await all_in_review(cluster, people, "decided")):
            got, codes = await cluster.race(
                approval(bob, made),
                rejection(cyd, made),
                Attempt(people.dev, "withdrawDeployment", {"deploymentId": made["id"]}),
                approval(dee, made, reviewedDigest="0" * 64),
                rejection(eli, made),
                approval(bob, made),
                first=number,
            )
            status = await decision(cluster, people, made)
            assert [each["status"] for each in got] == [status]
            assert len(codes) == 5
            assert set(codes) <= {"CONFLICT", "DIGEST_MISMATCH"}


async def test_who_decides_when_the_time_is_over(servers: Servers, people: People) -> None:
    bob, cyd, dee, _ = people.reviewers
    async with servers.asked(people.auditor) as cluster:
        seen = set()
        for number, made in enumerate(await all_in_review(cluster, people, "expired")):
            await cluster.bring_forward(made["id"], "review_deadline_ms", in_ms=(0, 12, 60_000)[number % 3])
            got, codes = await cluster.race(
                approval(bob, made),
                rejection(cyd, made),
                Attempt(people.dev, "withdrawDeployment", {"deploymentId": made["id"]}),
                approval(dee, made),
                first=number,
            )
            status = await decision(cluster, people, made)
            assert [each["status"] for each in got] == ([] if status == "EXPIRED" else [status])
            assert set(codes) <= ({"REVIEW_EXPIRED"} if status == "EXPIRED" else {"CONFLICT"})
            seen.add(status)
        assert "EXPIRED" in seen
        assert len(seen) > 1


async def test_of_the_last_votes_one_approves(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        asked = await all_in_review(cluster, people, "quorum", **RESTRICTED)
        for number, made in enumerate(asked):
            votes = [approval(each, made) for each in (*people.reviewers, *people.reviewers)]
            got, codes = await cluster.race(*votes, first=number)
            assert sorted(each["status"] for each in got) == ["APPROVED", "IN_REVIEW"]
            assert codes == ["CONFLICT"] * 6
        for made in asked:
            found = await cluster.until(people.dev, made["id"], "LIVE")
            assert len({each["reviewer"]["email"] for each in found["review"]["votes"]}) == 2
            actions = await cluster.on_record(people.auditor, made["id"])
            assert counted(actions, "REVIEW_VOTED", "DEPLOYMENT_APPROVED", *GONE_LIVE) == [2, 1, 1, 1]


async def test_a_person_with_two_tokens_is_one(servers: Servers, people: People) -> None:
    bob, me = people.reviewers[0], people.dev
    other = await asyncio.to_thread(servers.hired, "bob", "SECURITY_REVIEWER")
    myself = await asyncio.to_thread(servers.hired, "ada", "DEVELOPER", "SECURITY_REVIEWER")
    async with servers.asked(people.auditor) as cluster:
        for number, made in enumerate(await all_in_review(cluster, people, "twice", **RESTRICTED)):
            votes = [approval(each, made) for each in (bob, other, me, other, myself, bob)]
            got, codes = await cluster.race(*votes, first=number)
            assert [each["status"] for each in got] == ["IN_REVIEW"]
            assert codes == ["CONFLICT"] * 3 + ["SELF_REVIEW"] * 2
            found = await cluster.look(me, made["id"])
            assert found["status"] == "IN_REVIEW"
            assert [each["reviewer"]["email"] for each in found["review"]["votes"]] == [bob.email]
            actions = await cluster.on_record(people.auditor, made["id"])
            assert counted(actions, "REVIEW_VOTED", "DEPLOYMENT_APPROVED", "ACCESS_DENIED") == [1, 0, 2]


async def test_a_reviewer_loses_the_role_while_voting(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        asked = await all_in_review(cluster, people, "roles")
        for number, made in enumerate(asked):
            voter = await asyncio.to_thread(servers.hired, f"voter{number}", "SECURITY_REVIEWER")
            loss = {"email": voter.email, "roles": []}
            answers = [
                cluster.do(voter, "approveDeployment", 0, **approval(voter, made).given),
                cluster.do(people.admin, "setMemberRoles", 1, **loss),
            ]
            ended = await asyncio.gather(*answers[:: -1 if number % 2 else 1])
            vote, lost = ended[:: -1 if number % 2 else 1]
            assert lost["errors"] == []
            if vote["errors"]:
                # The loss came first: before the vote, or even before the sign-in, which a person without roles fails.
                assert [each["code"] for each in vote["errors"]] in (["FORBIDDEN"], ["UNAUTHENTICATED"])
                assert (await cluster.look(people.dev, made["id"]))["status"] == "IN_REVIEW"
                continue
            found = await cluster.until(people.dev, made["id"], "LIVE", "DEPLOY_FAILED")
            took = await cluster.seq_of(people.auditor, lost["user"]["id"], "MEMBER_ROLES_SET")
            began = await cluster.seq_of(people.auditor, made["id"], "DEPLOYMENT_STARTED")
            # Who is no reviewer any more when a worker begins has not approved it.
            assert found["status"] == "DEPLOY_FAILED" or took > began
            assert ("approvals that count" in (found["failure"] or "")) is (found["status"] == "DEPLOY_FAILED")


async def test_a_key_leads_to_one_submission(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        for number in range(ROUNDS):
            slug = f"again-{number}"
            agent_id = await cluster.registered(people.dev, slug)
            one, two = [await cluster.uploaded(people.dev, slug, version) for version in ("1.0.0", "2.0.0")]
            asked = {"agentId": agent_id, "idempotencyKey": f"key {number}"}
            got, codes = await cluster.race(
                *(
                    Attempt(people.dev, "submitDeployment", asked | {"packageDigest": each})
                    for each in (one, one, two) * 3
                ),
                first=number,
            )
            (deployment_id,) = {each["id"] for each in got}
            assert set(codes) == {"IDEMPOTENCY_MISMATCH"}
            found = await cluster.until(people.dev, deployment_id, "IN_REVIEW")
            assert (len(got), found["package"]["digest"]) in {(6, one), (3, two)}
            count = "query ($id: ID!) { agent(by: {id: $id}) { deployments { totalCount } } }"
            assert (await cluster.ask(people.dev, count, id=agent_id))["agent"]["deployments"] == {"totalCount": 1}


async def test_a_version_is_one_package(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        for number in range(ROUNDS):
            slug = f"same-{number}"
            agent_id = await cluster.registered(people.dev, slug)
            digests = [await cluster.uploaded(people.dev, slug, "1.0.0", note) for note in "abcd"]
            got, codes = await cluster.race(
                *(
                    Attempt(people.dev, "submitDeployment", {"agentId": agent_id, "packageDigest": digest})
                    for digest in digests
                ),
                first=number,
            )
            assert (len({each["id"] for each in got}), codes) == (4, [])
            found = await asyncio.gather(
                *(cluster.until(people.dev, each["id"], "IN_REVIEW", "INVALID") for each in got)
            )
            assert sorted(each["status"] for each in found) == ["INVALID"] * 3 + ["IN_REVIEW"]
            for each in found:
                wrong = [check["code"] for check in each["package"]["checks"] if not check["passed"]]
                assert ("VERSION_TAKEN" in wrong) is (each["status"] == "INVALID")


async def test_a_retry_meets_the_end_of_its_time(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        asked = await all_in_review(cluster, people, "lapsed", health=SICK)
        seen = set()
        for number, made in enumerate(asked):
            await cluster.race(approval(people.reviewers[0], made))
            await cluster.until(people.dev, made["id"], "DEPLOY_FAILED")
            await cluster.bring_forward(made["id"], "execute_by_ms", in_ms=(0, 12, 2_000)[number % 3])
            again = {"deploymentId": made["id"]}
            got, codes = await cluster.race(
                *(Attempt(each, "retryDeployment", again) for each in people.operators * 3), first=number
            )
            assert codes == ["CONFLICT"] * (6 - len(got))
            seen.add(len(got))
            await cluster.reached(people.dev, made["id"], "lapsed")
            actions = await cluster.on_record(people.auditor, made["id"])
            tried = counted(actions, "DEPLOYMENT_RETRIED", "DEPLOYMENT_FAILED", "DEPLOYMENT_LAPSED", *GONE_LIVE[1:])
            assert tried == [len(got), 1 + len(got), 1, 0]
        assert 0 in seen
        assert {1, 2} & seen
