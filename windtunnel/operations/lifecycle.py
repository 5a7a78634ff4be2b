"""The events around the story: a simulation begins, is planned step by step, and ends."""

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventDraft, EventKind, SimulationEvent
from windtunnel.domain.planning import PlannerStep
from windtunnel.domain.simulations import SimulationFailure, SimulationStatus
from windtunnel.domain.words import counted

TITLES = {
    SimulationStatus.SUCCEEDED: "Simulation succeeded",
    SimulationStatus.FAILED: "Simulation failed",
}
ENDINGS = {
    SimulationStatus.SUCCEEDED: "The simulation is over.",
    SimulationStatus.FAILED: "The simulation could not be finished.",
}


def started_draft(status: SimulationStatus) -> EventDraft:
    """The first event of every simulation."""
    message = (
        "The simulation is accepted; its agent network is being planned."
        if status is SimulationStatus.PLANNING
        else "The simulation is accepted."
    )
    return EventDraft(EventKind.SIMULATION_STARTED, message, {"status": status.value})


def step_draft(step: PlannerStep) -> EventDraft:
    """A planning agent started or ended."""
    body = {"planner": step.planner.value, "status": step.status.value, "duration_ms": step.duration_ms}
    return EventDraft(EventKind.PLANNER_STEP, step.message, body)


def planned_draft(architecture: Architecture, architecture_id: str) -> EventDraft:
    """The event that ends planning."""
    agents, links = counted(len(architecture.agents), "agent"), counted(len(architecture.links), "link")
    message = f"The network is planned: {agents}, {links}, {counted(len(architecture.tools), 'tool')}."
    return EventDraft(EventKind.ARCHITECTURE_PLANNED, message, {"architecture_id": architecture_id})


def finished_words(
    status: SimulationStatus, which: str | None, last: SimulationEvent, failure: SimulationFailure | None
) -> tuple[str, str]:
    """What the author is told when `which` has ended by itself with the event `last`: a title, and more about it."""
    title = f"{TITLES[status]}: {which}" if which else f"{TITLES[status]}."
    told = f"It told {last.seq:,} events in {last.elapsed_ms / 1000:,.1f} seconds of simulated time."
    return title, failure.message if failure else told


def finished_draft(status: SimulationStatus, elapsed_ms: float, message: str | None = None) -> EventDraft:
    """The last event; `message` says why when it did not come to its end."""
    return EventDraft(
        EventKind.SIMULATION_FINISHED, message or ENDINGS[status], {"status": status.value}, elapsed_ms=elapsed_ms
    )
