"""Plans at the fake endpoint, for the tests of this folder."""

from tests.planning.fake_endpoint import FakeEndpoint
from tests.planning.steps import Steps
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import Plan, PlannerMode
from windtunnel.planning import openai_planner
from windtunnel.planning.asking import Api, Limits

TEXT = (
    "Customers e-mail us about bills and bugs. A triage agent routes each message to the right specialist. "
    "Refunds over 200 dollars need a manager to sign off before they are paid."
)
QUICK = Limits(agent_s=20.0, total_s=50.0, retry_wait_s=0.0)
HASTY = Limits(agent_s=0.4, total_s=2.0, retry_wait_s=0.0)


async def plan_at(
    endpoint: FakeEndpoint, api: Api = "responses", limits: Limits = QUICK, steps: Steps | None = None
) -> Plan:
    planner = openai_planner("fake-model", endpoint.base_url, "secret-key", api, limits)
    assert (planner.mode, planner.model) == (PlannerMode.OPENAI, "fake-model")
    plan = await planner.plan(TEXT, steps if steps is not None else Steps())
    assert validate(plan.architecture) == []
    return plan


def codes(architecture: Architecture) -> set[str]:
    return {warning.code for warning in architecture.warnings}
