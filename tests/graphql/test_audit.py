"""The audit log in the schema: who may read it, what it tells, and what its pages and filters give."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schema.ids import Kind, encode
from tests.graphql.world import Client, simulation_id, told
from tests.queries import counted
from tests.storage import worlds
from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.permissions import ALLOWED, Action
from windtunnel.domain.viewers import Role
from windtunnel.storage import audit

ENTRY = (
    "id seq at action subjectId reason requestId details hash previousHash actor { id name } subject { __typename id }"
)
LOG = (
    "query($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {"
    " auditLog(first: $first, after: $after, last: $last, before: $before, filter: $filter) {"
    f" totalCount nodes {{ {ENTRY} }} edges {{ cursor node {{ seq }} }}"
    " pageInfo { hasNextPage hasPreviousPage } } }"
)


async def log(client: Client, **variables: object) -> list[dict[str, object]]:
    """The entries of a page."""
    found: list[dict[str, object]] = (await client.get(LOG, variables))["auditLog"]["nodes"]
    return found


def only(client: Client, *roles: Role) -> Client:
    return Client(client.services, replace(client.signed_in, roles=frozenset(roles), request_id="request-7"))


async def test_an_entry_tells_all(client: Client) -> None:
    started = (await client.do("simulate", "simulation { id scenario { id } }", {"scenario": {"text": "Sort mail."}}))[
        "simulation"
    ]
    simulation, scenario = await log(client)
    assert scenario["action"] == "SCENARIO_CREATED"
    assert scenario["subject"] == {"__typename": "Scenario", "id": started["scenario"]["id"]}
    assert simulation | {"at": "", "hash": "", "id": "", "details": {}} == {
        "id": "",
        "seq": 2,
        "at": "",
        "action": "SIMULATION_STARTED",
        "subjectId": started["id"],
        "reason": None,
        "requestId": "",
        "details": {},
        "hash": "",
        "previousHash": scenario["hash"],
        "actor": {"id": encode(Kind.USER, client.signed_in.user.id), "name": "You"},
        "subject": {"__typename": "Simulation", "id": started["id"]},
    }
    assert (await client.get(f'{{ node(id: "{simulation["id"]}") {{ ... on AuditEntry {{ {ENTRY} }} }} }}'))[
        "node"
    ] == simulation


async def test_what_is_gone_is_still_named(client: Client) -> None:
    scenario = await worlds.scenario(client.services.store, client.signed_in)
    await client.do("deleteScenario", "deletedId", {"scenarioId": encode(Kind.SCENARIO, scenario.id)})
    (entry,) = await log(client)
    assert (entry["subjectId"], entry["subject"]) == (encode(Kind.SCENARIO, scenario.id), None)


async def test_the_system_is_no_person(client: Client) -> None:
    await audit.append(
        client.services.store,
        client.signed_in.tenant_id,
        AuditDraft(AuditAction.FLAG_CHANGED, Subject(Kind.FEATURE_FLAG, "some-flag")),
    )
    (entry,) = await log(client, filter={"subjectId": encode(Kind.FEATURE_FLAG, "some-flag")})
    assert (entry["actor"], entry["subject"]) == (None, None)


async def test_pages_go_through_the_whole_log(client: Client) -> None:
    await _filled(client, 7)
    page = (await client.get(LOG, {"first": 3}))["auditLog"]
    assert ([node["seq"] for node in page["nodes"]], page["totalCount"]) == ([7, 6, 5], 7)
    assert page["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    after = page["edges"][-1]["cursor"]
    page = (await client.get(LOG, {"first": 10, "after": after}))["auditLog"]
    assert [node["seq"] for node in page["nodes"]] == [4, 3, 2, 1]
    assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}
    before = page["edges"][1]["cursor"]
    assert [entry["seq"] for entry in await log(client, last=2, before=before)] == [5, 4]


async def test_filters(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    await _filled(client, 3)
    begin = await store.now()
    store.clock_offset = timedelta(hours=1)
    subject = Subject(Kind.SIMULATION, new_id())
    mine = AuditDraft(AuditAction.SIMULATION_CANCELLED, subject, actor_id=viewer.user.id)
    await audit.append(store, viewer.tenant_id, mine)
    later = (begin + timedelta(minutes=30)).isoformat()
    for wanted, seqs in (
        ({}, [4, 3, 2, 1]),
        ({"actions": ["SIMULATION_CANCELLED", "TOKEN_ISSUED"]}, [4]),
        ({"actions": []}, []),
        ({"actorId": encode(Kind.USER, viewer.user.id)}, [4]),
        ({"actorId": "nobody"}, []),
        ({"subjectId": encode(Kind.SIMULATION, subject.id)}, [4]),
        ({"subjectId": encode(Kind.SCENARIO, subject.id)}, []),
        ({"subjectId": "nothing \ud800"}, []),
        ({"from": later}, [4]),
        ({"to": later}, [3, 2, 1]),
        ({"to": later, "actions": ["SIMULATION_CANCELLED"]}, []),
    ):
        assert [entry["seq"] for entry in await log(client, filter=wanted)] == seqs, wanted


async def test_a_longer_log_costs_no_more_statements(client: Client) -> None:
    store, viewer = client.services.store, client.signed_in
    for number in range(4):
        scenario = await worlds.scenario(store, viewer)
        simulation = await told(store, viewer, scenario.id, seed=number)
        for subject in (Subject(Kind.SCENARIO, scenario.id), Subject(Kind.SIMULATION, simulation.id)):
            await audit.append(
                store, viewer.tenant_id, AuditDraft(AuditAction.SIMULATION_STARTED, subject, actor_id=viewer.user.id)
            )
    with counted(store) as statements:
        assert len(await log(client)) == 8
    assert len(statements) == 4, statements  # the page, the actors, the scenarios, the simulations


async def test_only_some_roles_may_read_it(client: Client) -> None:
    await _filled(client, 1)
    (entry,) = await log(client)
    by_id = f'{{ node(id: "{entry["id"]}") {{ id }} nodes(ids: ["{entry["id"]}"]) {{ id }} }}'
    for role in Role:
        somebody = only(client, role)
        answer = await somebody.ask("{ auditLog { nodes { seq } } }")
        seen = await somebody.get(by_id)
        if role in ALLOWED[Action.READ_AUDIT]:
            assert answer.data
            assert seen == {"node": {"id": entry["id"]}, "nodes": [{"id": entry["id"]}]}
        else:
            assert (answer.data, answer.codes) == ({"auditLog": None}, ["FORBIDDEN"])
            assert seen == {"node": None, "nodes": [None]}


@pytest.mark.parametrize("role", Role)
async def test_every_refused_attempt_is_on_record_once(client: Client, role: Role) -> None:
    somebody, store = only(client, role), client.services.store
    simulation = encode(Kind.SIMULATION, new_id())
    attempts = {
        Action.SIMULATE: 'mutation { simulate(input: { scenario: { text: "x" } }) { errors { code } } }',
        Action.CANCEL_SIMULATION: f'mutation {{ cancelSimulation(input: {{ simulationId: "{simulation}" }})'
        " { errors { code } } }",
        Action.READ_AUDIT: "{ auditLog { nodes { seq } } }",
        Action.VERIFY_AUDIT: "{ verifyAudit { valid } }",
    }
    refused = [action for action in attempts if role not in ALLOWED[action]]
    for action in refused:
        assert (await somebody.ask(attempts[action])).codes == ["FORBIDDEN"]
    entries = await audit.read(store, client.signed_in.tenant_id, 0, 100)
    assert [entry.details for entry in entries] == [
        f'{{"attempted":"{action}","roles":["{role}"]}}' for action in refused
    ]
    assert {entry.action for entry in entries} <= {AuditAction.ACCESS_DENIED}
    assert {(entry.actor_id, entry.request_id) for entry in entries} <= {(client.signed_in.user.id, "request-7")}
    aimed_at = {entry.subject for entry in entries if "cancelSimulation" in entry.details}
    assert len(aimed_at) == (Action.CANCEL_SIMULATION in refused)
    assert {encode(subject.kind, subject.id) for subject in aimed_at} <= {simulation}


async def test_nobody_is_not_put_on_record(client: Client) -> None:
    for nobody in (Client(client.services, None), only(client)):
        answer = await nobody.ask("{ auditLog { nodes { seq } } }")
        assert answer.codes == ["UNAUTHENTICATED"]
        with pytest.raises(ValueError, match="UNAUTHENTICATED"):
            await nobody.watch(encode(Kind.SIMULATION, new_id()))
    assert await log(client) == []


async def test_tenants_have_logs_of_their_own(client: Client) -> None:
    await _filled(client, 2)
    other = Client(client.services, await worlds.stranger(client.services.store))
    (entry, _) = await log(client)
    assert await log(other) == []
    assert (await other.get(f'{{ node(id: "{entry["id"]}") {{ id }} }}'))["node"] is None
    assert (await other.get("{ verifyAudit { valid entries head } }"))["verifyAudit"] == {
        "valid": True,
        "entries": 0,
        "head": None,
    }


async def test_verifying(client: Client) -> None:
    await _filled(client, 3)
    found = (await client.get("{ verifyAudit { valid entries head brokenAtSeq checkpoints } }"))["verifyAudit"]
    newest = (await log(client, first=1))[0]
    assert found == {"valid": True, "entries": 3, "head": newest["hash"], "brokenAtSeq": None, "checkpoints": 0}


async def test_a_failed_mutation_is_not_on_record(client: Client) -> None:
    simulation = await told(client.services.store, client.signed_in)
    answer = await client.do("cancelSimulation", "simulation { id }", {"simulationId": simulation_id(simulation)})
    assert answer["errors"][0]["code"] == "CONFLICT"
    assert await log(client) == []


async def _filled(client: Client, count: int) -> None:
    for number in range(count):
        draft = AuditDraft(AuditAction.SCENARIO_CREATED, Subject(Kind.SCENARIO, new_id()), details={"number": number})
        await audit.append(client.services.store, client.signed_in.tenant_id, draft)
