"""A rehearsal as data and as files: one JSON object, the report, the pictures, the events."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from app.encoding import decode_json, encode_json
from windtunnel.domain.architectures import canonical_json, digest_of
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.networks import metrics_of
from windtunnel.domain.planning import Planner
from windtunnel.drawing import mermaid, svg
from windtunnel.drawing.report import Told as Reported
from windtunnel.drawing.report import report
from windtunnel.drawing.story import Story, story_of
from windtunnel.knowledge import load_book
from windtunnel.operations.rehearse import Rehearsal, Tell


@dataclass(frozen=True, slots=True)
class Told:
    """A rehearsal that is over, with what it was asked."""

    text: str
    seed: int
    planner: Planner
    rehearsal: Rehearsal


def paced(tell: Tell, pace: float) -> Tell:
    """`tell`, held back so that `pace` simulated seconds pass in a real second; 0 holds nothing back."""
    if pace == 0:
        return tell
    loop = asyncio.get_running_loop()
    began: float | None = None

    async def tell_in_time(event: SimulationEvent) -> None:
        nonlocal began
        if event.kind is EventKind.ARCHITECTURE_PLANNED:
            began = loop.time()
        if began is not None:
            await asyncio.sleep(began + event.elapsed_ms / 1000 / pace - loop.time())
        await tell(event)

    return tell_in_time


def as_json(told: Told) -> bytes:
    """One JSON object. Without ids of stored things and wall-clock times: the same seed gives the same bytes."""
    done = told.rehearsal
    story = story_of(done.events)
    return encode_json(
        {
            "scenario": told.text,
            "seed": told.seed,
            "planner": {"mode": told.planner.mode, "model": told.planner.model},
            "interpretation": asdict(done.interpretation),
            "architecture": decode_json(canonical_json(done.architecture)),
            "digest": digest_of(done.architecture),
            "metrics": _camel_keys(asdict(metrics_of(done.architecture))),
            "failureModes": [_failure_mode(mode, told, story) for mode in done.architecture.failure_modes],
            "events": [event_fields(event) for event in done.events],
            "summary": _camel_keys(asdict(done.summary)),
            "narrative": done.narrative,
        }
    )


def files(told: Told) -> dict[str, str]:
    """The files of `--out` by name."""
    done = told.rehearsal
    architecture, book = done.architecture, load_book()
    story = story_of(done.events)
    busy = story.busy({agent.key: agent.policy.concurrency for agent in architecture.agents})
    planner = told.planner.model or told.planner.mode.lower()
    reported = Reported(
        told.text, told.seed, planner, done.interpretation, architecture, done.events, done.summary, done.narrative
    )
    return {
        "report.html": report(
            reported,
            titles={code: definition.title for code, definition in book.definitions.items()},
            patterns={key: pattern.name for key, pattern in book.patterns.items()},
        ),
        "architecture.json": canonical_json(architecture).decode() + "\n",
        "architecture.mmd": mermaid(architecture),
        "network.svg": svg(architecture, load=busy, struck=story.worst()) + "\n",
        "events.jsonl": "".join(encode_json(event_fields(event)).decode() + "\n" for event in done.events),
    }


def event_fields(event: SimulationEvent) -> dict[str, Any]:
    """An event with the names that it has in GraphQL, without ids of stored things and the wall clock."""
    body = {key: value for key, value in event.body.items() if key != "architecture_id"}
    return {
        "seq": event.seq,
        "kind": event.kind,
        "elapsedMs": event.elapsed_ms,
        "agentKey": event.agent_key,
        "message": event.message,
        **_camel_keys(body),
    }


def _failure_mode(mode: FailureMode, told: Told, story: Story) -> dict[str, Any]:
    definition = load_book().definition(mode.code)
    return {
        "key": mode.key,
        "code": mode.code,
        "title": definition.title,
        "category": definition.category,
        "severity": mode.severity,
        "likelihood": mode.likelihood,
        "probability": mode.probability,
        "provenance": mode.provenance,
        "rationale": mode.rationale,
        "targets": list(mode.targets),
        "mitigation": mode.mitigation,
        "detection": mode.detection,
        "triggeredSeqs": [
            event.seq
            for event in told.rehearsal.events
            if event.kind is EventKind.FAILURE_EVENT
            and event.body["failure_key"] == mode.key
            and event.body["outcome"] is None
        ],
        "outcome": story.outcome_of(mode.key),
    }


def _camel_keys(values: dict[str, Any]) -> dict[str, Any]:
    return {_camel(key): value for key, value in values.items()}


def _camel(word: str) -> str:
    head, *tail = word.split("_")
    return head + "".join(part.capitalize() for part in tail)
