"""From spans to observations: whose they are, what is an agent's own work, and what cannot be used."""

from collections.abc import Sequence
from random import Random

import pytest

from tests.simulation.networks import agent, link, network, tool
from tests.telemetry.spans import asked, called, invoked, span
from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry import gathering
from windtunnel.telemetry.gathering import gather
from windtunnel.telemetry.observed import Gathered
from windtunnel.telemetry.places import places_of
from windtunnel.telemetry.recorded import RecordedSpan

NETWORK = network([agent(0, tools=("t0", "t1")), agent(1)], [link(0, 0, 1)], tools=[tool(0), tool(1)])


def _gather(spans: Sequence[RecordedSpan], matches: dict[str, str] | None = None) -> Gathered:
    return gather(spans, places_of(NETWORK, matches))


def test_spans_are_matched_by_key_and_name_whatever_their_spelling() -> None:
    agents = [invoked(name) for name in ("a0", "Agent 0", "AGENT_0", "agent-0")]
    tools = [called(name) for name in ("t1", "Tool 1", "tool_1")]
    unknown = [invoked("somebody"), called("something"), called("something")]
    found = _gather([*agents, *tools, *unknown])
    assert {key: seen.attempts for key, seen in found.observed.items()} == {"a0": 4, "t1": 3}
    assert (found.tally.matched, found.tally.read) == (7, 10)
    assert found.tally.unmatched == {"execute_tool something": 2, "invoke_agent somebody": 1}


def test_a_name_that_two_things_have_is_of_none() -> None:
    twins = network([agent(0, tools=("t0",)), agent(1, name="Agent 0")], [link(0, 0, 1)], tools=[tool(0)])
    found = gather([invoked("Agent 0"), invoked("a1")], places_of(twins))
    assert list(found.observed) == ["a1"]


def test_a_given_name_stands_for_a_key_also_in_spans_of_no_known_operation() -> None:
    spans = [invoked("Bob"), span("", name="lookup"), span("", name="t1"), span("", name="GET /")]
    found = _gather(spans, {"bob": "a0", "Lookup": "t0"})
    assert {key: seen.attempts for key, seen in found.observed.items()} == {"a0": 1, "t0": 1}
    with pytest.raises(ValidationError, match="no agent or tool with this key") as refused:
        _gather(spans, {"Bob": "a7"})
    assert (refused.value.rule, refused.value.path) == ("unknown_key", ("matches",))


def test_an_agents_own_work_is_what_it_did_not_spend_elsewhere() -> None:
    work = invoked("a0", ms=1_000)
    between = span("", name="graph node", parent=work, ms=400)
    parts = [
        asked(parent=work, ms=300),
        called("t0", parent=between, start_ms=300, ms=200),
        called("t1", parent=work, start_ms=400, ms=200),  # overlaps by 100 ms
        invoked("a1", parent=work, start_ms=700, ms=250),
        called("something", parent=work, start_ms=960, ms=10),
    ]
    spans = [*parts, between, work]
    for seed in range(6):
        Random(seed).shuffle(spans)
        found = _gather(spans).observed
        assert list(found["a0"].durations_ms) == pytest.approx([1_000 - 300 - 250 - 10])
        assert list(found["t0"].durations_ms) == list(found["t1"].durations_ms) == [200.0]
        assert list(found["a1"].durations_ms) == [250.0]


def test_failures_count_where_they_happened() -> None:
    victim = invoked("a0", error="timeout")
    guilty = called("t0", parent=victim, ms=50, error="timeout")
    model = invoked("a1", error="429", ms=500)
    calls = [asked(parent=model, error="429", retried=["429", "500"]), asked(parent=model)]
    own = invoked("a0", error="crash")
    found = _gather([victim, guilty, model, *calls, own])
    assert (found.observed["t0"].attempts, dict(found.observed["t0"].errors)) == (1, {"timeout": 1})
    assert (found.observed["a0"].attempts, dict(found.observed["a0"].errors)) == (2, {"crash": 1})
    assert (found.observed["a1"].attempts, dict(found.observed["a1"].errors)) == (4, {"429": 2, "500": 1})
    assert found.tally.failed == 4
    assert not any(seen.durations_ms for seen in found.observed.values())


def test_retried_calls_count_as_attempts_and_not_as_durations() -> None:
    found = _gather([called("t0", retried=["timeout", "503"]), called("t0", ms=70)])
    seen = found.observed["t0"]
    assert (seen.attempts, dict(seen.errors), list(seen.durations_ms)) == (4, {"timeout": 1, "503": 1}, [70.0])
    assert found.tally.retried == 1


def test_an_agent_of_whom_only_model_calls_are_told_works_as_long_as_they_do() -> None:
    found = _gather([asked(agent="a1", ms=80), asked(agent="a1", ms=90, error="500"), asked()])
    assert list(found.observed["a1"].durations_ms) == [80.0]
    assert (found.observed["a1"].attempts, found.tally.matched) == (2, 2)


def test_spans_that_cannot_be_are_counted_and_left_out() -> None:
    parent = invoked("a0", ms=100)
    twice = called("t0", ms=10)
    spans = [
        twice,
        twice,
        called("t0", ms=-5),
        called("t0", ms=0),
        called("t0", ms=400 * 86_400_000.0),
        called("t0")._replace(end_ns=0),
        called("t0")._replace(start_ns=0),
        parent,
        called("t1", parent=parent, start_ms=-300, ms=10),  # its clock is wrong
    ]
    found = _gather(spans)
    tally = found.tally
    assert (tally.duplicates, tally.negative, tally.zero, tally.too_long, tally.unfinished, tally.skewed) == (
        1, 1, 1, 1, 2, 1,
    )  # fmt: skip
    assert list(found.observed["t0"].durations_ms) == [10.0]
    assert not found.observed["a0"].durations_ms
    assert tally.read == len(spans)


def test_circles_of_parents_end() -> None:
    one = span("", name="x")
    two = span("", name="y", parent=one)
    loop = [one._replace(parent=two.span), two, called("t0", parent=two)]
    assert list(_gather(loop).observed["t0"].durations_ms) == [100.0]


def test_more_spans_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SPANS_MAX", 10)
    found = _gather([called("t0") for _ in range(25)])
    assert (found.observed["t0"].attempts, found.tally.left_out, found.tally.read) == (10, 15, 25)
