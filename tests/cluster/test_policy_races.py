"""What is changed while people vote: what counts is what the review began with, by whomever it was changed."""

import asyncio
import json
from typing import Any

from tests.cluster.attempts import People, approval, counted
from tests.cluster.pipeline import Cluster, Servers
from tests.cluster.test_pipeline_races import GONE_LIVE, RESTRICTED, all_in_review

DETAILS = """query ($id: ID!) { auditLog(first: 100, filter: {subjectId: $id}) { nodes { action details } } }"""


async def digests(cluster: Cluster, people: People, deployment: Any) -> set[Any]:
    """Of which configuration the audit log says that it was reviewed under."""
    nodes = (await cluster.ask(people.auditor, DETAILS, id=deployment["id"]))["auditLog"]["nodes"]
    found = [each for each in nodes if each["action"] in {"REVIEW_OPENED", "DEPLOYMENT_APPROVED"}]
    assert len(found) == 2
    told = [each["details"] if isinstance(each["details"], dict) else json.loads(each["details"]) for each in found]
    return {each["configurationDigest"] for each in told}


async def test_production_is_configured_while_the_last_one_votes(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        for number, made in enumerate(await all_in_review(cluster, people, "configured")):
            change = {"set": [{"key": "ROUND", "value": str(number), "secret": False}]}
            asked = [
                cluster.do(people.reviewers[0], "approveDeployment", 0, **approval(people.reviewers[0], made).given),
                cluster.do(people.admin, "configureProduction", 1, **change),
            ]
            ended = await asyncio.gather(*asked[:: -1 if number % 2 else 1])
            assert [each["errors"] for each in ended] == [[], []]
            await cluster.until(people.dev, made["id"], "LIVE")
            assert len(await digests(cluster, people, made)) == 1


async def test_a_policy_is_lowered_in_the_database_while_somebody_votes(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        bob, cyd = people.reviewers[:2]
        for number, made in enumerate(await all_in_review(cluster, people, "lowered", **RESTRICTED)):
            vote = cluster.race(approval(bob, made), first=number)
            lowering = cluster.lower_policy(made["id"])
            if number % 2:
                _, (got, codes) = await asyncio.gather(lowering, vote)
            else:
                (got, codes), _ = await asyncio.gather(vote, lowering)
            assert [each["status"] for each in got] == ["IN_REVIEW"] * len(got)
            assert codes == ["APPROVAL_INVALID"] * (1 - len(got))
            for reviewer in (bob, cyd):
                _, late = await cluster.race(approval(reviewer, made), first=number)
                assert late == ["APPROVAL_INVALID"]
            assert (await cluster.look(people.dev, made["id"]))["status"] == "IN_REVIEW"
            actions = await cluster.on_record(people.auditor, made["id"])
            refused = 2 + len(codes)
            assert counted(actions, "ACCESS_DENIED", "DEPLOYMENT_APPROVED", *GONE_LIVE) == [refused, 0, 0, 0]
