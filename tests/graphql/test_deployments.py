"""Deployments, their reviews and their rollbacks as clients see them."""

from datetime import timedelta

from schema.ids import Kind, encode
from tests.graphql.pipeline import DEPLOYMENT, LIST, QUEUE, ROLLBACK, id_of, look
from tests.graphql.world import Client
from tests.operations.pipeline_world import approved, became, in_review, registered, stored, submitted
from tests.operations.releases_world import agent_with, claimed, live, rolled
from tests.operations.review_world import FINDING, REASON, approve, person, reject, review_of, reviewable
from tests.queries import counted
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.restoring import complete

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


async def test_a_submission_shows_what_is_known_of_it(client: Client) -> None:
    made = await submitted(client.services, client.signed_in, changelog="Sorts faster.")
    shown = await look(client, made)
    assert (shown["id"], shown["status"], shown["changelog"]) == (id_of(made), "SUBMITTED", "Sorts faster.")
    assert shown["submittedBy"] == {"name": client.signed_in.user.name}
    absent = ("version", "review", "approvedAt", "executeBy", "deployedAt", "finishedAt", "failure", "rollbackUntil")
    assert [shown[each] for each in absent] == [None] * len(absent)
    assert (shown["package"]["digest"], shown["package"]["manifest"], shown["package"]["checks"]) == (
        made.package_digest,
        {},
        [],
    )
    assert shown["package"]["sizeBytes"] > 500
    assert (shown["rollbacks"], shown["attempts"]) == ([], 0)
    (first,) = shown["timeline"]
    assert (first["seq"], first["status"], first["deploymentId"]) == (1, "SUBMITTED", id_of(made))
    assert (first["actor"], shown["lastSeq"]) == ({"name": client.signed_in.user.name}, 1)


async def test_a_review_shows_how_it_was_decided(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await reviewable(services, viewer)
    reviewer = await person(services, viewer, "rae@demo.local")
    waiting = (await look(client, made))["review"]
    assert (waiting["status"], waiting["requiredApprovals"], waiting["queuePosition"]) == ("QUEUED", 1, 1)
    assert (waiting["claimedBy"], waiting["decidedAt"], waiting["votes"], waiting["findings"]) == (None, None, [], [])
    assert (waiting["expectedBasis"], waiting["deployment"]) == ("As usual.", {"id": id_of(made)})
    await claim_review(services, reviewer, (await review_of(services, made)).id)
    taken = (await look(client, made))["review"]
    assert (taken["status"], taken["claimedBy"]) == ("IN_REVIEW", {"name": reviewer.user.name})
    await approve(services, reviewer, made, comment="Well done.")
    shown = await look(client, made)
    assert (shown["status"], shown["review"]["status"], shown["review"]["queuePosition"]) == (
        "APPROVED",
        "APPROVED",
        None,
    )
    assert (shown["executeBy"] is None, shown["review"]["decidedAt"] is None) == (False, False)
    assert shown["review"]["votes"] == [
        {"decision": "APPROVE", "comment": "Well done.", "reviewer": {"name": reviewer.user.name}}
    ]


async def test_a_rejection_shows_its_findings(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await reviewable(services, viewer)
    await reject(services, await person(services, viewer, "rae@demo.local"), made)
    shown = await look(client, made)
    review = shown["review"]
    assert (shown["status"], review["status"], review["comment"]) == ("REJECTED", "REJECTED", REASON)
    assert review["findings"] == [
        {
            "severity": FINDING.severity.value,
            "title": FINDING.title,
            "detail": FINDING.detail,
            "remediation": FINDING.remediation,
        }
    ]
    assert [each["decision"] for each in review["votes"]] == ["REJECT"]


async def test_what_is_live_and_what_was_taken_away(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await registered(services, viewer)
    first, second = await live(services, viewer, made, "1.0.0", "2.0.0")
    shown = await look(client, second)
    assert (shown["status"], shown["version"]) == ("LIVE", {"version": "2.0.0"})
    assert shown["rollbackUntil"] is not None
    assert (await look(client, first))["rollbackUntil"] is None
    rollback = await rolled(services, viewer, made)
    document = f"query ($id: ID!) {{ node(id: $id) {{ ... on Rollback {{ {ROLLBACK} }} }} }}"
    running = (await client.get(document, {"id": encode(Kind.ROLLBACK, rollback.id)}))["node"]
    assert (running["status"], running["finishedAt"], running["durationMs"]) == ("RUNNING", None, None)
    assert (running["fromVersion"], running["toVersion"]) == ({"version": "2.0.0"}, {"version": "1.0.0"})
    assert (running["deployment"], running["requestedBy"]) == (
        {"id": id_of(second), "status": "LIVE"},
        {"name": viewer.user.name},
    )
    await complete(services, await claimed(services))
    done = (await client.get(document, {"id": encode(Kind.ROLLBACK, rollback.id)}))["node"]
    assert (done["status"], done["failure"], 0 <= done["durationMs"] < 60_000) == ("SUCCEEDED", None, True)
    away = await look(client, second)
    assert (away["status"], away["rollbackUntil"]) == ("ROLLED_BACK", None)
    assert away["rollbacks"] == [{"id": encode(Kind.ROLLBACK, rollback.id), "status": "SUCCEEDED"}]
    assert ((await look(client, first))["status"], (await look(client, first))["rollbackUntil"] is None) == (
        "LIVE",
        False,
    )


async def test_deployments_are_listed_and_filtered(client: Client, bo: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    agent = await registered(services, viewer)
    waiting = await in_review(services, viewer, agent)
    services.store.clock_offset += timedelta(seconds=2)
    given_up = await became(services, await submitted(services, bo.signed_in), S.WITHDRAWN)
    newest_first = [id_of(given_up), id_of(waiting)]

    async def listed(someone: Client = client, **filter: object) -> list[str]:
        page = (await someone.get(LIST, {"filter": filter}))["deployments"]
        assert page["totalCount"] == len(page["nodes"])
        return [each["id"] for each in page["nodes"]]

    assert await listed() == newest_first
    assert await listed(statuses=["WITHDRAWN", "LIVE"]) == newest_first[:1]
    assert await listed(statuses=[]) == []
    assert await listed(submittedByMe=True) == newest_first[1:]
    assert await listed(bo, submittedByMe=True) == newest_first[:1]
    assert await listed(agentId=encode(Kind.AGENT, agent.id)) == newest_first[1:]
    for unknown in (encode(Kind.AGENT, new_id()), encode(Kind.DEPLOYMENT, agent.id), "nonsense"):
        assert await listed(agentId=unknown) == []
    between = (waiting.submitted_at + timedelta(seconds=1)).isoformat()
    assert await listed(submittedAfter=between) == newest_first[:1]
    assert await listed(submittedBefore=between) == newest_first[1:]
    assert await listed(eve) == []
    first = (await client.get(LIST, {"first": 1}))["deployments"]
    rest = (await client.get(LIST, {"first": 1, "after": first["pageInfo"]["endCursor"]}))["deployments"]
    assert [each["node"]["id"] for each in first["edges"] + rest["edges"]] == newest_first


async def test_the_queue_shows_the_first_to_expire_first(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = []
    for classification in ("public", "restricted", "internal"):
        made.append(await reviewable(services, viewer, data=_declared(classification)))
        services.store.clock_offset += timedelta(seconds=1)
    reviewer = Client(services, await person(services, viewer, "rae@demo.local"))

    async def queue(someone: Client = reviewer, **given: object) -> list[str]:
        page = (await someone.get(QUEUE, given))["reviewQueue"]
        return [each["deployment"]["id"] for each in page["nodes"]]

    everything = [id_of(each) for each in made]
    assert await queue() == everything
    page = (await reviewer.get(QUEUE, {"first": 2}))["reviewQueue"]
    assert ([each["queuePosition"] for each in page["nodes"]], page["totalCount"]) == ([1, 2], 3)
    assert await queue(first=2, after=page["pageInfo"]["endCursor"]) == everything[2:]
    assert [each["requiredApprovals"] for each in page["nodes"]] == [1, 2]
    await claim_review(services, reviewer.signed_in, (await review_of(services, made[1])).id)
    assert await queue(filter={"assignedToMe": True}) == everything[1:2]
    await approve(services, reviewer.signed_in, made[0])
    assert await queue() == everything[1:]
    assert await queue(filter={"statuses": ["APPROVED"]}) == everything[:1]
    risks = [each["risk"] for each in (await reviewer.get(QUEUE))["reviewQueue"]["nodes"]]
    assert await queue(filter={"minRisk": max(risks, key=["LOW", "MEDIUM", "HIGH", "CRITICAL"].index)}) != []
    assert await queue(eve) == []
    auditor = Client(services, await person(services, viewer, "ann@demo.local", Role.AUDITOR, Role.DEVELOPER))
    refused = await auditor.ask(QUEUE)
    assert (refused.codes, refused.data) == (["FORBIDDEN"], {"reviewQueue": None})


async def test_another_tenant_sees_none_of_it(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    agent = await agent_with(services, viewer, "1.0.0", "2.0.0")
    rollback = await rolled(services, viewer, agent)
    made = await stored(services, await reviewable(services, viewer))
    review = await review_of(services, made)
    for kind, raw in (
        (Kind.AGENT, agent.id),
        (Kind.DEPLOYMENT, made.id),
        (Kind.AGENT_VERSION, made.version_id or ""),
        (Kind.REVIEW, review.id),
        (Kind.ROLLBACK, rollback.id),
    ):
        named = {"id": encode(kind, raw)}
        assert (await client.get(NODE, named))["node"] == {"__typename": kind.value, **named}
        assert (await eve.get(NODE, named))["node"] is None


async def test_more_deployments_cost_no_more_statements(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    document = f"{{ deployments {{ nodes {{ {DEPLOYMENT} }} }} }}"
    costs = []
    for _ in range(2):
        for _ in range(3):
            await approved(services, viewer, await registered(services, viewer, f"agent-{new_id()[-12:]}"))
        with counted(services.store) as statements:
            await client.get(document)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 16, costs


def _declared(classification: str) -> dict[str, object]:
    return {
        "classification": classification,
        "stores": [],
        "personalData": False,
        "purposes": ["support"],
        "retentionDays": 30,
    }
