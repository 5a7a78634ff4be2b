"""Recorded spans for tests, and OTLP as others write it."""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from windtunnel.telemetry.recorded import RecordedSpan

_ids = count(1)
T0 = 1_767_323_045 * 10**9


def span(
    operation: str,
    *,
    start_ms: float = 0.0,
    ms: float = 100.0,
    name: str = "",
    agent: str = "",
    tool: str = "",
    parent: RecordedSpan | None = None,
    error: str | None = None,
    retried: Sequence[str] = (),
) -> RecordedSpan:
    """A span of a trace of its own, or of its parent's."""
    number = next(_ids)
    start = T0 + round(start_ms * 1e6)
    return RecordedSpan(
        trace=parent.trace if parent else f"{number:032x}",
        span=f"{number:016x}",
        parent=parent.span if parent else "",
        name=name or f"{operation} {agent or tool}",
        operation=operation,
        agent_id="",
        agent_name=agent,
        tool=tool,
        start_ns=start,
        end_ns=start + round(ms * 1e6),
        error=error,
        retried=tuple(retried),
    )


def invoked(agent: str, **how: Any) -> RecordedSpan:
    """An agent at work."""
    return span("invoke_agent", agent=agent, **how)


def called(tool: str, **how: Any) -> RecordedSpan:
    """A tool at work."""
    return span("execute_tool", tool=tool, **how)


def asked(**how: Any) -> RecordedSpan:
    """A model at work."""
    return span("chat", **how)


def otlp(spans: Iterable[RecordedSpan]) -> dict[str, Any]:
    """The spans as a request in OTLP's JSON, as an exporter that is not ours writes it."""

    def pair(key: str, value: str) -> dict[str, Any]:
        return {"key": key, "value": {"stringValue": value}}

    written = []
    for one in spans:
        told = {
            "gen_ai.operation.name": one.operation,
            "gen_ai.agent.id": one.agent_id,
            "gen_ai.agent.name": one.agent_name,
            "gen_ai.tool.name": one.tool,
            "error.type": one.error or "",
        }
        written.append(
            {
                "traceId": one.trace,
                "spanId": one.span,
                "parentSpanId": one.parent,
                "name": one.name,
                "kind": 1,
                "startTimeUnixNano": str(one.start_ns),
                "endTimeUnixNano": str(one.end_ns),
                "attributes": [pair(key, value) for key, value in told.items() if value],
                "events": [{"name": "retry", "attributes": [pair("error.type", each)]} for each in one.retried],
                "status": {"code": 2} if one.error else {},
            }
        )
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "x"}, "spans": written}]}]}


def lines(*requests: Any) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in requests)
