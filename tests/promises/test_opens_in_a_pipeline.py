""" "A simulation that can be believed": a simulated run opens in an OpenTelemetry pipeline, told as it happened."""

import json
from collections import Counter
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from typer.testing import CliRunner

from app.cli import cli
from tests.telemetry.collectors import collecting
from tests.telemetry.reading import operation, read

TEXT = (
    "Customers email our shop. Triage routes each message to billing or returns. Billing looks up the order and "
    "refunds it; refunds over $200 need a manager to sign off. Every answer is checked before it is sent."
)


def _run(seed: int) -> tuple[dict[str, Any], list[Span]]:
    """What the command told of a run, and the spans that a collector got of it."""
    with collecting() as collector:
        arguments = ["simulate", TEXT, "--seed", str(seed), "--json", "--otlp", collector.url]
        result = CliRunner().invoke(cli, arguments, env={"WINDTUNNEL_PLANNER": "offline"})
    assert (result.exit_code, result.stderr) == (0, "")
    (request,) = collector.traces
    assert len(collector.metrics) == len(collector.logs) == 1
    return json.loads(result.stdout), list(request.resource_spans[0].scope_spans[0].spans)


def _compare(told: dict[str, Any], spans: list[Span]) -> None:
    """Agents, tools, attempts, times and failures are the same in both."""
    begin = min(span.start_time_unix_nano for span in spans)
    by_id = {span.span_id: span for span in spans}
    names = {agent["key"]: agent["name"] for agent in told["architecture"]["agents"]}
    tools = {tool["key"]: tool["name"] for tool in told["architecture"]["tools"]}
    events = told["events"]

    ended: Counter[tuple[Any, ...]] = Counter()
    for event in events:
        if event["kind"] == "AGENT_END":
            ended[names[event["agentKey"]], event["elapsedMs"], event["durationMs"], event["status"] == "FAILED"] += 1
    shown: Counter[tuple[Any, ...]] = Counter()
    for span in spans:
        if operation(span) == "invoke_agent":
            took_ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
            end_ms = round((span.end_time_unix_nano - begin) / 1e6, 3)
            failed = span.status.code == Status.STATUS_CODE_ERROR
            shown[read(span.attributes)["gen_ai.agent.name"], end_ms, round(took_ms), failed] += 1
    assert shown == ended

    called = Counter((tools[event["toolKey"]], event["status"]) for event in events if event["kind"] == "TOOL_USED")
    attempts: Counter[tuple[str, str]] = Counter()
    for span in spans:
        if operation(span) == "execute_tool":
            given = read(span.attributes)
            attempts[given["gen_ai.tool.name"], "RETRIED"] += len(span.events)
            attempts[given["gen_ai.tool.name"], "FAILED" if span.status.code else "OK"] += 1
            parent = by_id[span.parent_span_id]
            assert operation(parent) == "invoke_agent"
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano
    for (tool, status), count in called.items():
        if status in {"RETRIED", "FAILED"}:
            assert attempts[tool, status] == count
    assert sum(count for (_, status), count in attempts.items() if status == "OK") >= sum(
        count for (_, status), count in called.items() if status == "OK"
    )
    assert {operation(span) for span in spans if not span.parent_span_id} == {"invoke_workflow"}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_spans_tell_the_run_as_its_events_do(seed: int) -> None:
    _compare(*_run(seed))


def test_so_do_those_of_runs_that_fail() -> None:
    failed: Counter[str] = Counter()
    for seed in range(3, 80):
        told, spans = _run(seed)
        if any(span.status.code or span.events for span in spans):
            _compare(told, spans)
        failed.update(operation(span) for span in spans if span.status.code)
        failed.update("retry" for span in spans if span.events)
        if failed["execute_tool"] and failed["retry"]:
            return
    pytest.fail(f"no call failed, or nothing was tried again: {failed}")
