"""Each verb is open to the roles that the table names, and to nobody else."""

from dataclasses import replace

import pytest

from schema.ids import Kind, encode
from tests.graphql.world import Client
from windtunnel.domain.permissions import ALLOWED, Action
from windtunnel.domain.viewers import Role

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"
SIMULATION, SCENARIO = encode(Kind.SIMULATION, RAW), encode(Kind.SCENARIO, RAW)
NOTIFICATION = encode(Kind.NOTIFICATION, RAW)
TOKEN, USER = encode(Kind.API_TOKEN, RAW), encode(Kind.USER, RAW)
VERBS = {
    Action.SIMULATE: f'simulate(input: {{ scenario: {{ scenarioId: "{SCENARIO}" }} }})',
    Action.CANCEL_SIMULATION: f'cancelSimulation(input: {{ simulationId: "{SIMULATION}" }})',
    Action.DELETE_SCENARIO: f'deleteScenario(input: {{ scenarioId: "{SCENARIO}" }})',
    Action.INJECT_FAILURE: f'injectFailure(input: {{ simulationId: "{SIMULATION}", code: "tool_api_timeout" }})',
    Action.MARK_NOTIFICATIONS_READ: f'markNotificationsRead(input: {{ ids: ["{NOTIFICATION}"] }})',
    Action.REVOKE_API_TOKEN: f'revokeApiToken(input: {{ tokenId: "{TOKEN}" }})',
    Action.ISSUE_API_TOKEN: f'issueApiToken(input: {{ name: "t", roles: [ADMIN], userId: "{USER}" }})',
}


async def test_a_mutation_is_open_to_its_roles(client: Client) -> None:
    for role in Role:
        somebody = Client(client.services, replace(client.signed_in, roles=frozenset({role})))
        for action, call in VERBS.items():
            answer = await somebody.ask(f"mutation {{ {call} {{ errors {{ code }} }} }}")
            if role in ALLOWED[action]:
                assert answer.data == {action: {"errors": [{"code": "NOT_FOUND"}]}}, (role, action)
            else:
                assert (answer.data, answer.codes) == (None, ["FORBIDDEN"]), (role, action)


async def test_a_subscription_is_open_to_its_roles(client: Client) -> None:
    for role in Role:
        somebody = Client(client.services, replace(client.signed_in, roles=frozenset({role})))
        code = "NOT_FOUND" if role in ALLOWED[Action.WATCH_SIMULATION] else "FORBIDDEN"
        with pytest.raises(ValueError, match=code):
            await somebody.watch(SIMULATION)
    nobody = Client(client.services, replace(client.signed_in, roles=frozenset()))
    with pytest.raises(ValueError, match="FORBIDDEN"):
        await nobody.watch(SIMULATION)


def test_every_verb_is_tried() -> None:
    assert {*VERBS, Action.WATCH_SIMULATION, Action.WATCH_NOTIFICATIONS} == set(Action)
