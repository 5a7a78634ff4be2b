"""A signed-in client of the whole schema, on a real store, and simulations that were told before it came."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.graphql.masking import public_errors
from resolvers.context import Context
from schema.ids import Kind, encode
from schema.root import build_schema
from tests.examples import support_triage
from tests.storage.worlds import INTERPRETATION
from windtunnel.domain.events import EventDraft, EventKind, StepStatus
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.ids import new_id
from windtunnel.domain.planning import PlannerAgent, PlannerMode
from windtunnel.domain.simulations import FailureInjection, Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.services import Services
from windtunnel.simulation import Run
from windtunnel.storage import architectures, leases, simulations, transitions
from windtunnel.storage.store import Store

SCHEMA = build_schema()
logging.getLogger("strawberry.execution").disabled = True  # as the transport does: it logs defects itself, once


@dataclass(frozen=True)
class Answer:
    """What the client sees. `codes` are those of the top-level errors."""

    data: Any
    messages: list[str]
    codes: list[str]


@dataclass(frozen=True)
class Client:
    """Sends operations, each with a context of its own."""

    services: Services
    viewer: Viewer | None
    schema: strawberry.Schema = SCHEMA

    @property
    def signed_in(self) -> Viewer:
        assert self.viewer
        return self.viewer

    def context(self) -> Context:
        return Context(self.services, self.viewer, request_id="test")

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
        result = await self.schema.execute(document, dict(variables or {}), self.context())
        errors = public_errors(result.errors or [], "test")
        return Answer(
            result.data,
            [error.message for error in errors],
            [str((error.extensions or {}).get("code")) for error in errors],
        )

    async def get(self, document: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an operation that must succeed."""
        answer = await self.ask(document, variables)
        assert not answer.messages, answer
        return answer.data

    async def subscribe(
        self, simulation_id: str, *, after: int | None = 0, kinds: Sequence[str] | None = None, fields: str = ""
    ) -> AsyncGenerator[Any, None]:
        """The events of a simulation as they come; ValueError with its code when the stream ends in an error."""
        document = (
            "subscription($id: ID!, $after: Int, $kinds: [SimulationEventKind!])"
            " { simulationEvents(simulationId: $id, after: $after, kinds: $kinds)"
            f" {{ seq kind elapsedMs message {fields} }} }}"
        )
        variables = {"id": simulation_id, "after": after, "kinds": kinds}
        async with aclosing(await self.schema.stream(document, variables, self.context())) as results:
            async for result in results:
                assert isinstance(result, ExecutionResult | PreExecutionError)
                for error in public_errors(result.errors or [], "test"):
                    raise ValueError(str((error.extensions or {}).get("code")))
                assert result.data
                yield result.data["simulationEvents"]

    async def watch(
        self, simulation_id: str, *, after: int | None = 0, kinds: Sequence[str] | None = None, fields: str = ""
    ) -> list[Any]:
        """Every event up to the end of the stream."""
        return [event async for event in self.subscribe(simulation_id, after=after, kinds=kinds, fields=fields)]

    async def do(self, verb: str, result: str, input: Mapping[str, Any]) -> Any:
        """The payload of a mutation, with everything that its errors tell."""
        title = verb[0].upper() + verb[1:]
        document = (
            f"mutation($input: {title}Input!) {{ {verb}(input: $input) {{ {result} errors {{ __typename code message"
            " path ... on ValidationError { rule } ... on NotFoundError { resourceId }"
            " ... on ConflictError { current allowed } ... on QuotaError { limit used }"
            " ... on PolicyError { policy } } } }"
        )
        return (await self.get(document, {"input": input}))[verb]


def simulation_id(simulation: Simulation) -> str:
    return encode(Kind.SIMULATION, simulation.id)


async def conduct(services: Services) -> None:
    """Bring everything that is queued to its end, as a worker does."""
    while claimed := await leases.claim(services.store, "worker", 20, 20):
        for simulation in claimed:
            await conduct_simulation(services, simulation)


async def told(
    store: Store,
    viewer: Viewer,
    scenario_id: str | None = None,
    *,
    failures: FailureInjection = FailureInjection.AUTO,
    listed: Sequence[FailureMode] = (),
    seed: int = 7,
) -> Simulation:
    """A simulation of the support triage from the first event to the last, as the log keeps it."""
    made = Simulation(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        scenario_id=scenario_id,
        architecture_id=None,
        package_digest=None,
        status=SimulationStatus.PLANNING,
        seed=seed,
        pace=0,
        planner_mode=PlannerMode.OFFLINE,
        failures=failures,
        inject_failures=tuple(mode.code for mode in listed),
        created_at=await store.now(),
        created_by=viewer.user.id,
        fence=1,
        lease_owner="planner",
    )
    architecture_id = new_id()
    await simulations.insert(store, made)
    await architectures.insert(
        store,
        viewer.tenant_id,
        architecture_id,
        scenario_id=scenario_id,
        architecture=support_triage(),
        created_at=await store.now(),
    )
    opening = [
        EventDraft(EventKind.SIMULATION_STARTED, "Accepted.", {"status": SimulationStatus.PLANNING}),
        EventDraft(EventKind.PLANNER_STEP, "Read.", _READ),
        EventDraft(EventKind.ARCHITECTURE_PLANNED, "Planned.", {"architecture_id": architecture_id}),
    ]
    await transitions.planned(
        store,
        made.tenant_id,
        made.id,
        1,
        0,
        interpretation=INTERPRETATION,
        architecture_id=architecture_id,
        drafts=opening,
    )
    (claimed,) = [found for found in await leases.claim(store, "worker", 100, 100) if found.id == made.id]
    run = Run(support_triage(), seed, failures=failures, injected=listed)
    story = run.advance(1_000_000)
    ended = EventDraft(EventKind.SIMULATION_FINISHED, "Done.", {"status": SimulationStatus.SUCCEEDED}, run.elapsed_ms)
    await transitions.finished(
        store,
        made.tenant_id,
        made.id,
        claimed.fence,
        len(opening),
        status=SimulationStatus.SUCCEEDED,
        narrative=run.narrative,
        error=None,
        drafts=[*story, ended],
    )
    found = await simulations.get(store, viewer.tenant_id, made.id)
    assert found
    return found


_READ = {"planner": PlannerAgent.SCENARIO_INTERPRETER, "status": StepStatus.OK, "duration_ms": None}
