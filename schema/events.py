"""Simulation events: one type per shape of body, all behind one interface."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from resolvers import architectures
from schema.architectures import Architecture
from schema.fields import resolved
from schema.info import Info
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import FailureOutcome, Severity
from windtunnel.domain.planning import PlannerAgent
from windtunnel.domain.simulations import SimulationStatus


@strawberry.interface(description="One step of a run. `seq` starts at 1 and has no gaps.")
class SimulationEvent:
    """What every event tells."""

    simulation_id: strawberry.ID = strawberry.field(description="The simulation that it belongs to.")
    seq: int = strawberry.field(description="Its number in the simulation.")
    kind: EventKind = strawberry.field(description="What kind of thing happened.")
    at: datetime = strawberry.field(description="When it was stored, by the wall clock.")
    elapsed_ms: float = strawberry.field(description="Simulated time since the start.")
    agent_key: str | None = strawberry.field(description="The agent concerned, where there is one.")
    message: str = strawberry.field(description="What happened, in a sentence.")


@strawberry.type(description="The run began or ended.")
class LifecycleEvent(SimulationEvent):
    """SIMULATION_STARTED and SIMULATION_FINISHED."""

    status: SimulationStatus = strawberry.field(description="The state of the simulation from here on.")


@strawberry.type(description="A planning agent worked: interpreter, planner, mapper, failure, narrator.")
class PlannerStepEvent(SimulationEvent):
    """PLANNER_STEP."""

    planner: PlannerAgent = strawberry.field(description="Which planning agent.")
    status: StepStatus = strawberry.field(description="How its step stands.")
    duration_ms: int | None = strawberry.field(
        description="How long it took; null at its start, and for the offline planner, whose runs repeat exactly."
    )


@strawberry.type(description="The agent network is there.")
class ArchitecturePlannedEvent(SimulationEvent):
    """ARCHITECTURE_PLANNED."""

    architecture_id: strawberry.Private[str]

    @resolved("The agent network that is simulated from here on.")
    async def architecture(self, info: Info) -> Architecture:
        """Immutable, so that it is never stale."""
        return Architecture.of(await architectures.existing(info.context, self.architecture_id))


@strawberry.type(description="AGENT_START or AGENT_END.")
class AgentStepEvent(SimulationEvent):
    """AGENT_START and AGENT_END."""

    task: str = strawberry.field(description="What the agent worked on.")
    status: StepStatus = strawberry.field(description="How the step stands.")
    duration_ms: int | None = strawberry.field(description="Simulated time that it took; null at its start.")


@strawberry.type(description="An agent used a tool.")
class ToolUsedEvent(SimulationEvent):
    """TOOL_USED."""

    tool_key: str = strawberry.field(description="Which tool of the architecture.")
    input: JSON = strawberry.field(description="What it was given.")
    output: JSON | None = strawberry.field(description="What it answered; null when it did not.")
    status: StepStatus = strawberry.field(description="How the call ended.")
    latency_ms: int = strawberry.field(description="Simulated time that it took.")


@strawberry.type(description="Something passed along a link.")
class DataFlowEvent(SimulationEvent):
    """DATA_FLOW."""

    link_key: str = strawberry.field(description="Which link of the architecture.")
    source_key: str = strawberry.field(description="Key of the agent that it came from.")
    target_key: str = strawberry.field(description="Key of the agent that it went to.")
    payload: JSON = strawberry.field(description="What passed.")
    bytes: int = strawberry.field(description="How large it was.")


@strawberry.type(description="FAILURE_EVENT or RECOVERY.")
class FailureEvent(SimulationEvent):
    """FAILURE_EVENT and RECOVERY."""

    failure_key: str = strawberry.field(description="Key of the failure mode, as in Simulation.failureModes.")
    code: str = strawberry.field(description="Its code in the catalogue.")
    severity: Severity = strawberry.field(description="How bad it is.")
    outcome: FailureOutcome | None = strawberry.field(description="How it ended; null while that is open.")
    detail: JSON = strawberry.field(description="What it did to the step that it hit.")


@strawberry.type(description="A log record, a measurement or a span, as it was made.")
class ObservabilityEvent(SimulationEvent):
    """OBSERVABILITY."""

    signal: Signal = strawberry.field(description="Which of the three.")
    level: LogLevel | None = strawberry.field(description="Severity of a log record; null for the others.")
    name: str = strawberry.field(description="Name of the log's topic, the metric or the span.")
    value: float | None = strawberry.field(description="What was measured; null for log records.")
    attributes: JSON = strawberry.field(description="What else is known, in OpenTelemetry's words.")


@strawberry.type(description="A piece of the story of the run.")
class NarrativeEvent(SimulationEvent):
    """NARRATIVE."""

    text: str = strawberry.field(description="The piece, in plain words.")


EVENTS = (
    LifecycleEvent,
    PlannerStepEvent,
    ArchitecturePlannedEvent,
    AgentStepEvent,
    ToolUsedEvent,
    DataFlowEvent,
    FailureEvent,
    ObservabilityEvent,
    NarrativeEvent,
)
"""Every implementation of SimulationEvent."""
