"""Rehearse a scenario: plan it and simulate it here and now, without a server or a database."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventDraft, SimulationEvent
from windtunnel.domain.ids import new_id
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.observability import ObservabilitySummary
from windtunnel.domain.planning import Planner, PlannerStep
from windtunnel.domain.prices import ModelPrice
from windtunnel.domain.simulations import FailureInjection, SimulationStatus
from windtunnel.operations.lifecycle import finished_draft, planned_draft, started_draft, step_draft
from windtunnel.simulation.observability import summary
from windtunnel.simulation.run import Run

Tell = Callable[[SimulationEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run that is over: what was understood, planned and told, event by event, and in numbers."""

    interpretation: Interpretation
    architecture: Architecture
    events: Sequence[SimulationEvent]
    summary: ObservabilitySummary
    narrative: str


async def rehearse(
    planner: Planner,
    text: str,
    seed: int,
    *,
    planned: Callable[[Architecture], None],
    tell: Tell,
    price: ModelPrice | None = None,
) -> Rehearsal:
    """Plan `text` and simulate the plan, awaiting `tell` with each event as it happens (it may set the pace).

    `planned` hears of the architecture before its event. The events are those that a server would store for the same
    seed; with a `price` the summary has a cost. Raises what the planner raises: ValidationError for a text that
    cannot be planned, UnavailableError.
    """
    simulation_id = new_id()
    events: list[SimulationEvent] = []

    async def happen(draft: EventDraft) -> None:
        event = SimulationEvent(
            simulation_id, len(events) + 1, draft.kind, datetime.now(UTC), draft.elapsed_ms, draft.agent_key,
            draft.message, draft.body,
        )  # fmt: skip
        events.append(event)
        await tell(event)

    async def step(taken: PlannerStep) -> None:
        await happen(step_draft(taken))

    await happen(started_draft(SimulationStatus.PLANNING))
    plan = await planner.plan(text, step)
    planned(plan.architecture)
    await happen(planned_draft(plan.architecture, new_id()))
    run = Run(plan.architecture, seed, failures=FailureInjection.AUTO)
    while not run.over:
        for draft in run.advance():
            await happen(draft)
    await happen(finished_draft(SimulationStatus.SUCCEEDED, run.elapsed_ms))
    return Rehearsal(plan.interpretation, plan.architecture, events, summary(events, price), run.narrative)
