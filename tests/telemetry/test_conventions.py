"""What is exported against the attribute tables of the conventions, which lie beside this test with their source."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.examples import pipeline, review_loop, support_triage
from tests.telemetry.reading import operation, read
from tests.telemetry.runs import about, failing, told
from windtunnel.domain.events import SimulationEvent
from windtunnel.domain.failures import FaultUnit
from windtunnel.telemetry.conventions import Profile, profile_of
from windtunnel.telemetry.export import Kind, exported

PROFILES = pytest.mark.parametrize("profile", list(Profile))
KINDS = {"CLIENT": Span.SPAN_KIND_CLIENT, "INTERNAL": Span.SPAN_KIND_INTERNAL}
OPERATIONS = {"chat", "invoke_agent", "execute_tool", "invoke_workflow"}


@cache
def _table(profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "tables" / f"{profile}.json").read_text("utf-8"))
    return found


@cache
def _runs() -> tuple[tuple[SimulationEvent, ...], ...]:
    runs = [told(make(), seed) for make in (support_triage, pipeline, review_loop) for seed in range(6)]
    return (*map(tuple, runs), tuple(failing()), tuple(failing(FaultUnit.MODEL_CALL)))


def _spans(profile: Profile) -> list[Span]:
    sent = [exported(events, about(profile=profile)).traces for events in _runs()]
    return [span for run in sent for each in run.resource_spans for scope in each.scope_spans for span in scope.spans]


@PROFILES
def test_spans_have_what_is_required_and_nothing_that_the_conventions_do_not_know(profile: Profile) -> None:
    seen, failed = set(), set()
    for span in _spans(profile):
        given = read(span.attributes)
        rule = _table(profile)["spans"][operation(span)]
        seen.add(operation(span))
        assert span.kind == KINDS[rule["kind"]]
        allowed = {*rule["required"], *rule["conditionally_required"], *rule["recommended"]}
        assert set(rule["required"]) <= given.keys()
        assert {name for name in given if not name.startswith("windtunnel.")} <= allowed
        assert not set(rule["opt_in"]) & given.keys(), "content is captured only when somebody opted in"
        assert ("error.type" in given) == bool(span.status.code)
        if span.status.code:
            failed.add(operation(span))
        expected = rule["name"]
        for name, value in given.items():
            expected = expected.replace(f"{{{name}}}", str(value))
        assert span.name == expected
    assert seen == OPERATIONS
    assert failed == OPERATIONS


@PROFILES
def test_spans_have_the_attributes_whose_conditions_a_simulation_meets(profile: Profile) -> None:
    met = {
        "chat": {"gen_ai.request.model"},
        "invoke_agent": {"gen_ai.agent.id", "gen_ai.agent.name"},
        "invoke_workflow": {"gen_ai.workflow.name"},
        "execute_tool": {"gen_ai.tool.type", "gen_ai.tool.call.id"},
    }
    for span in _spans(profile):
        assert met[operation(span)] <= read(span.attributes).keys()


@PROFILES
def test_a_model_that_answered_says_what_it_used_and_one_that_did_not_says_nothing(profile: Profile) -> None:
    chats = [read(span.attributes) for span in _spans(profile) if operation(span) == "chat"]
    answer = {"gen_ai.response.model", "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens"}
    failed = [each for each in chats if "error.type" in each]
    assert failed
    assert all(not answer & each.keys() for each in failed)
    assert all(answer <= each.keys() for each in chats if "error.type" not in each)


@PROFILES
def test_metrics_are_the_histograms_of_the_conventions(profile: Profile) -> None:
    rules = _table(profile)["metrics"]
    seen: set[str] = set()
    for events in _runs():
        sent = exported(events, about(profile=profile)).metrics
        for scope in sent.resource_metrics[0].scope_metrics[:1]:
            for metric in scope.metrics:
                rule = rules[metric.name]
                seen.add(metric.name)
                assert metric.unit == rule["unit"]
                histogram = metric.histogram
                assert histogram.aggregation_temporality == (AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
                keys = [tuple(sorted(read(point.attributes).items())) for point in histogram.data_points]
                assert len(set(keys)) == len(keys) > 0
                for point in histogram.data_points:
                    given = read(point.attributes)
                    allowed = {*rule["required"], *rule["conditionally_required"], *rule["recommended"]}
                    assert set(rule["required"]) <= given.keys() <= allowed
                    assert list(point.explicit_bounds) == rule["buckets"]
                    assert sum(point.bucket_counts) == point.count > 0
                    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                    assert point.min <= point.sum / point.count <= point.max
                    assert point.start_time_unix_nano < point.time_unix_nano
    assert seen == rules.keys()


@PROFILES
def test_durations_measured_are_those_of_the_spans(profile: Profile) -> None:
    for events in _runs():
        sent = exported(events, about(profile=profile))
        spans = [span for each in sent.traces.resource_spans for span in each.scope_spans[0].spans]
        metrics = {each.name: each for each in sent.metrics.resource_metrics[0].scope_metrics[0].metrics}
        chats = [span for span in spans if operation(span) == "chat"]
        seconds = sum(span.end_time_unix_nano - span.start_time_unix_nano for span in chats) / 1e9
        points = metrics["gen_ai.client.operation.duration"].histogram.data_points
        asked = [point for point in points if read(point.attributes)["gen_ai.operation.name"] == "chat"]
        assert sum(point.count for point in asked) == len(chats)
        assert abs(sum(point.sum for point in asked) - seconds) < 1e-6
        used = sum(
            value for span in chats for name, value in read(span.attributes).items() if name.startswith("gen_ai.usage.")
        )
        assert sum(point.sum for point in metrics["gen_ai.client.token.usage"].histogram.data_points) == used


@pytest.mark.parametrize(
    ("opt_in", "profile"),
    [
        (None, Profile.V1_41),
        ("", Profile.V1_41),
        ("http/dup, database", Profile.V1_41),
        ("gen_ai_latest_experimental", Profile.LATEST),
        ("http, gen_ai_latest_experimental ", Profile.LATEST),
    ],
)
def test_the_profile_is_opted_into_as_the_conventions_say(opt_in: str | None, profile: Profile) -> None:
    assert profile_of(opt_in) is profile


def test_the_same_run_gives_the_same_bytes() -> None:
    first, again = (exported(told(pipeline(), 7), about()) for _ in range(2))
    for kind in Kind:
        assert first.protobuf(kind) == again.protobuf(kind) != b""
        assert first.line(kind) == again.line(kind)
