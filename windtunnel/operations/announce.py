"""After the commit: ring the doorbells, with the new events in the message unless they are too many."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from windtunnel.domain.environments import EnvironmentEvent, EnvironmentStatus
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.streams.bus import Bus

WORK = "work"
"""The channel that rings when there may be something to claim."""

ACCESS = "access"
"""The channel that rings when a token or a role was taken away."""

DELIVERIES = "deliveries"
"""The channel that rings when there may be a message to a webhook to send."""

ENVIRONMENTS = "environments"
"""The channel that rings when there may be something to do for an environment: to make it, or to take it away."""

PIPELINE = "pipeline"
"""The channel that rings when there may be a deployment to validate or to deploy, or a rollback to do."""

EXPERIMENTS = "experiments"
"""The channel that rings when there may be an experiment to conduct."""

MESSAGE_MAX_BYTES = 64 * 1024
READ_THE_LOG = "[]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def events_channel(simulation_id: str) -> str:
    """Where a simulation's events are announced."""
    return f"simulation:{simulation_id}"


def conductor_channel(simulation_id: str) -> str:
    """What wakes the conductor of a simulation: a command was added, or the simulation was cancelled or deleted."""
    return f"conductor:{simulation_id}"


def environment_channel(environment_id: str) -> str:
    """Where it is announced what happened to an environment."""
    return f"environment:{environment_id}"


async def announce_events(bus: Bus, simulation_id: str, events: Sequence[SimulationEvent]) -> None:
    """Tell followers of these events, which are stored by now."""
    if events:
        await bus.publish(events_channel(simulation_id), encoded(events))


async def announce_deleted(bus: Bus, simulation_id: str) -> None:
    """Have followers and conductor look, and find the simulation gone."""
    await bus.publish(events_channel(simulation_id), READ_THE_LOG)
    await wake_conductor(bus, simulation_id)


async def wake_conductor(bus: Bus, simulation_id: str) -> None:
    """Have the conductor of a simulation look at what was done to it."""
    await bus.publish(conductor_channel(simulation_id), "")


async def announce_work(bus: Bus) -> None:
    """Have workers look for something to claim."""
    await bus.publish(WORK, "")


async def announce_access(bus: Bus) -> None:
    """Have every process look again whether those who follow something still may."""
    await bus.publish(ACCESS, "")


async def announce_deliveries(bus: Bus) -> None:
    """Have whoever sends messages to webhooks look for some."""
    await bus.publish(DELIVERIES, "")


async def announce_environments(bus: Bus) -> None:
    """Have caretakers look for an environment to make, to take away, or to look after."""
    await bus.publish(ENVIRONMENTS, "")


async def announce_pipeline(bus: Bus) -> None:
    """Have deployers look for something to validate, to deploy or to roll back."""
    await bus.publish(PIPELINE, "")


async def announce_experiments(bus: Bus) -> None:
    """Have experimenters look for something to conduct."""
    await bus.publish(EXPERIMENTS, "")


async def announce_environment(bus: Bus, environment_id: str, events: Sequence[EnvironmentEvent]) -> None:
    """Tell followers of these events, which are stored by now; `bus` is the one at home."""
    if events:
        rows = [
            (each.seq, (each.at - _EPOCH) // _MILLISECOND, each.status.value, each.step, each.message, each.progress)
            for each in events
        ]
        await bus.publish(environment_channel(environment_id), packed(rows))


def environment_decoder(environment_id: str) -> Callable[[str], list[EnvironmentEvent]]:
    """The reverse of what `announce_environment` publishes: exactly what is read from the log."""

    def decode(message: str) -> list[EnvironmentEvent]:
        return [
            EnvironmentEvent(
                environment_id, seq, _EPOCH + timedelta(milliseconds=at_ms), EnvironmentStatus(status), *told
            )
            for seq, at_ms, status, *told in orjson.loads(message)
        ]

    return decode


def encoded(events: Sequence[SimulationEvent]) -> str:
    """Events as a message."""
    rows = [
        (
            event.seq,
            event.kind.value,
            (event.at - _EPOCH) // _MILLISECOND,
            event.elapsed_ms,
            event.agent_key,
            event.message,
            event.body,
        )
        for event in events
    ]
    return packed(rows)


def packed(rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows of what is stored as a message; READ_THE_LOG when they are too large for one."""
    try:
        message = orjson.dumps(rows, default=dict)
    except orjson.JSONEncodeError:  # a character that storage replaces
        return READ_THE_LOG
    return READ_THE_LOG if len(message) > MESSAGE_MAX_BYTES else message.decode()


def decoder(simulation_id: str) -> Callable[[str], list[SimulationEvent]]:
    """The reverse of `encoded`, for the events of one simulation: exactly what is read from the log."""

    def decode(message: str) -> list[SimulationEvent]:
        return [
            SimulationEvent(
                simulation_id=simulation_id,
                seq=seq,
                kind=EventKind(kind),
                at=_EPOCH + timedelta(milliseconds=at_ms),
                elapsed_ms=elapsed_ms,
                agent_key=agent_key,
                message=text,
                body=body,
            )
            for seq, kind, at_ms, elapsed_ms, agent_key, text, body in orjson.loads(message)
        ]

    return decode
