"""What simulate answers when it cannot do its work: the planner fails, or too much is waiting."""

from dataclasses import dataclass, replace

from tests.graphql.world import Client
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError, WindtunnelError
from windtunnel.domain.planning import OnStep, Plan, PlannerMode
from windtunnel.operations.services import Limits

INPUT = {"scenario": {"text": "An agent answers mail."}}


@dataclass(frozen=True)
class FailingPlanner:
    """A planner whose endpoint never gives a plan."""

    error: WindtunnelError
    mode = PlannerMode.OPENAI
    model = "some-model"

    async def plan(self, text: str, on_step: OnStep) -> Plan:
        raise self.error


def _failing(client: Client, error: WindtunnelError) -> Client:
    return Client(replace(client.services, planner=FailingPlanner(error)), client.viewer)


async def test_an_endpoint_that_is_too_slow_is_a_top_level_error(client: Client) -> None:
    slow = _failing(client, UnavailableError("The model did not answer in time.", code=ErrorCode.TIMEOUT))
    document = "mutation($i: SimulateInput!) { simulate(input: $i) { errors { code } } }"
    answer = await slow.ask(document, {"i": INPUT})
    assert (answer.data, answer.codes, answer.messages) == (None, ["TIMEOUT"], ["The model did not answer in time."])
    data = await slow.get(
        "{ simulations { nodes { status plannerMode error { code message stage } narrative duration startedAt"
        " finishedAt architecture { id } interpretation { goal } failureModes { key } observability { traces { name }"
        " summary { events } } } } health { planner { mode model } } }"
    )
    (failed,) = data["simulations"]["nodes"]
    assert failed["finishedAt"] is not None
    assert failed["error"] == {"code": "TIMEOUT", "message": "The model did not answer in time.", "stage": "planning"}
    assert failed["observability"] == {"traces": [], "summary": {"events": 2}}
    assert (failed["status"], failed["plannerMode"], failed["failureModes"]) == ("FAILED", "OPENAI", [])
    for absent in ("narrative", "duration", "startedAt", "architecture", "interpretation"):
        assert failed[absent] is None
    assert data["health"]["planner"] == {"mode": "OPENAI", "model": "some-model"}


async def test_a_scenario_that_is_too_complex_is_a_user_error(client: Client) -> None:
    refused = ValidationError("Too many agents.", rule="too_many_agents", code=ErrorCode.SCENARIO_TOO_COMPLEX)
    payload = await _failing(client, refused).do("simulate", "simulation { id }", INPUT)
    (error,) = payload["errors"]
    assert (payload["simulation"], error["__typename"], error["code"]) == (
        None,
        "ValidationError",
        "SCENARIO_TOO_COMPLEX",
    )
    assert error["path"] == ["input", "scenario", "text"]


async def test_whoever_does_not_wait_reads_of_the_failure_later(client: Client) -> None:
    broken = _failing(client, UnavailableError("The model is down."))
    payload = await broken.do("simulate", "simulation { id }", {**INPUT, "waitFor": "ACCEPTED"})
    assert payload["errors"] == []
    told = await broken.watch(payload["simulation"]["id"], fields="... on LifecycleEvent { status }")
    assert (told[-1]["kind"], told[-1]["status"]) == ("SIMULATION_FINISHED", "FAILED")


async def test_too_many_waiting_simulations_are_a_quota_error(client: Client) -> None:
    narrow = Client(replace(client.services, limits=Limits(max_queued=1)), client.viewer)
    assert (await narrow.do("simulate", "simulation { id }", INPUT))["errors"] == []
    payload = await narrow.do("simulate", "simulation { id }", INPUT)
    (error,) = payload["errors"]
    assert (error["__typename"], error["code"]) == ("QuotaError", "QUOTA_EXCEEDED")
    assert (error["limit"], error["used"], error["path"]) == (1, 1, None)


async def test_a_database_that_is_down_is_a_top_level_error(client: Client) -> None:
    await client.services.store.close()
    for document in (
        "{ scenarios { nodes { id } } }",
        'mutation { simulate(input: { scenario: { text: "An agent answers mail." } }) { errors { code } } }',
    ):
        answer = await client.ask(document)
        assert (answer.data, answer.codes) == (None, ["UNAVAILABLE"])
