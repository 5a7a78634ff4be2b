"""How a stored event becomes one of the types of `schema.events`: by its kind."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict

import strawberry

from schema.events import (
    AgentStepEvent,
    ArchitecturePlannedEvent,
    DataFlowEvent,
    FailureEvent,
    LifecycleEvent,
    NarrativeEvent,
    ObservabilityEvent,
    PlannerStepEvent,
    SimulationEvent,
    ToolUsedEvent,
)
from schema.ids import Kind, encode
from windtunnel.domain import events as domain
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import FailureOutcome, Severity
from windtunnel.domain.planning import PlannerAgent
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.lru import LRU

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
