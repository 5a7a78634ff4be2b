"""Simulation events: one type per shape of body, all behind one interface."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict

import strawberry
from strawberry.scalars import JSON

from resolvers import architectures
from schema.architectures import Architecture
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info
from windtunnel.domain import events as domain
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import FailureOutcome, Severity
from windtunnel.domain.planning import PlannerAgent
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.lru import LRU


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


_SHOWN: LRU[tuple[str, int], SimulationEvent] = LRU(1_024)
"""Stored events never change, and many follow the same."""


class _Head(TypedDict):
    simulation_id: strawberry.ID
    seq: int
    kind: EventKind
    at: datetime
    elapsed_ms: float
    agent_key: str | None
    message: str


def show(event: domain.SimulationEvent) -> SimulationEvent:
    """The event as data, one object for all who follow it. Its type follows from its kind."""
    key = (event.simulation_id, event.seq)
    shown = _SHOWN.get(key)
    if shown is None:
        shown = _shaped(event)
        _SHOWN.put(key, shown)
    return shown


def _shaped(event: domain.SimulationEvent) -> SimulationEvent:
    head = _Head(
        simulation_id=encode(Kind.SIMULATION, event.simulation_id),
        seq=event.seq,
        kind=event.kind,
        at=event.at,
        elapsed_ms=event.elapsed_ms,
        agent_key=event.agent_key,
        message=event.message,
    )
    return _SHAPES[event.kind](head, event.body)


_Body = Any  # a mapping of JSON values; which keys each kind has is fixed by `domain.EventDraft`


def _lifecycle(head: _Head, body: _Body) -> SimulationEvent:
    return LifecycleEvent(**head, status=SimulationStatus(body["status"]))


def _planner_step(head: _Head, body: _Body) -> SimulationEvent:
    return PlannerStepEvent(
        **head,
        planner=PlannerAgent(body["planner"]),
        status=StepStatus(body["status"]),
        duration_ms=_whole(body["duration_ms"]),
    )


def _architecture_planned(head: _Head, body: _Body) -> SimulationEvent:
    return ArchitecturePlannedEvent(**head, architecture_id=body["architecture_id"])


def _agent_step(head: _Head, body: _Body) -> SimulationEvent:
    return AgentStepEvent(
        **head, task=body["task"], status=StepStatus(body["status"]), duration_ms=_whole(body["duration_ms"])
    )


def _tool_used(head: _Head, body: _Body) -> SimulationEvent:
    return ToolUsedEvent(
        **head,
        tool_key=body["tool_key"],
        input=body["input"],
        output=body["output"],
        status=StepStatus(body["status"]),
        latency_ms=round(body["latency_ms"]),
    )


def _data_flow(head: _Head, body: _Body) -> SimulationEvent:
    return DataFlowEvent(
        **head,
        link_key=body["link_key"],
        source_key=body["source_key"],
        target_key=body["target_key"],
        payload=body["payload"],
        bytes=body["bytes"],
    )


def _failure(head: _Head, body: _Body) -> SimulationEvent:
    outcome = body["outcome"]
    return FailureEvent(
        **head,
        failure_key=body["failure_key"],
        code=body["code"],
        severity=Severity(body["severity"]),
        outcome=None if outcome is None else FailureOutcome(outcome),
        detail=body["detail"],
    )


def _observability(head: _Head, body: _Body) -> SimulationEvent:
    level = body["level"]
    return ObservabilityEvent(
        **head,
        signal=Signal(body["signal"]),
        level=None if level is None else LogLevel(level),
        name=body["name"],
        value=body["value"],
        attributes=body["attributes"],
    )


def _narrative(head: _Head, body: _Body) -> SimulationEvent:
    return NarrativeEvent(**head, text=body["text"])


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


_SHAPES: dict[EventKind, Callable[[_Head, _Body], SimulationEvent]] = {
    EventKind.SIMULATION_STARTED: _lifecycle,
    EventKind.PLANNER_STEP: _planner_step,
    EventKind.ARCHITECTURE_PLANNED: _architecture_planned,
    EventKind.AGENT_START: _agent_step,
    EventKind.AGENT_END: _agent_step,
    EventKind.TOOL_USED: _tool_used,
    EventKind.DATA_FLOW: _data_flow,
    EventKind.FAILURE_EVENT: _failure,
    EventKind.RECOVERY: _failure,
    EventKind.OBSERVABILITY: _observability,
    EventKind.NARRATIVE: _narrative,
    EventKind.SIMULATION_FINISHED: _lifecycle,
}
