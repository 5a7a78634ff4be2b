"""Network files: what they mean, and one clear sentence for what they may not say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.domain.errors import ValidationError
from windtunnel.experiments.model import Model
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.overrides import overridden
from windtunnel.simulation.resilience import HOUR_MS, Breaker, NodeMode, Quota, WorkingHours

PLAIN: dict[str, Any] = {
    "nodes": [
        {"key": "a", "service": {"dist": "exponential", "mean_ms": 100}},
        {"key": "b", "service": {"mean_ms": 50, "cv": 0.5}, "servers": 2, "max_attempts": 3, "backoff_ms": 10},
    ],
    "links": [{"source": "a", "target": "b", "probability": 0.5}],
    "entry": ["a"],
}


def _read(value: Any) -> Model:
    return read_network(json.dumps(value))


def _changed(**changes: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(PLAIN)), **changes}


def _node(**more: Any) -> dict[str, Any]:
    return {"key": "a", "service": {"mean_ms": 1}, **more}


def test_a_file_is_a_model() -> None:
    model = _read(PLAIN)
    first, second = (place.node for place in model.places)
    assert first.service == ServiceTime(100, 0.8, Distribution.EXPONENTIAL)
    assert (second.servers, second.max_attempts, second.backoff_ms, second.timeout_ms) == (2, 3, 10, None)
    assert [(route.source, route.target, route.probability) for route in model.routes] == [("a", "b", 0.5)]
    assert model.entry == ("a",)


def test_everything_else_a_node_can_be() -> None:
    node = _node(
        circuit_breaker={"window": 5, "open_ms": 1000},
        fallback={"service": {"mean_ms": 5}, "failure_probability": 0.1},
        hours={"opens": "08:30", "closes": "24:00", "days": ["SUN", "MON"]},
        quota="model",
        tokens=100,
        jitter=0.5,
        retry_budget=0.2,
        mode="fork",
        join="all",
    )
    quotas = [{"key": "model", "tokens_per_minute": 1000, "waits": True}]
    model = _read({"nodes": [node], "entry": ["a"], "quotas": quotas, "begins": "TUE 10:00"})
    (place,) = model.places
    assert place.node.breaker == Breaker(5, 0.5, 1000)
    assert place.node.hours == WorkingHours(8.5 * HOUR_MS, 24 * HOUR_MS, (0, 6))
    assert (place.node.mode, place.node.join) == (NodeMode.FORK, 1)
    assert model.quotas == (Quota("model", 1000, None, waits=True),)
    assert model.begins_ms == 34 * HOUR_MS
    assert _read({"nodes": [_node(circuit_breaker=True)], "entry": ["a"]}).places[0].node.breaker == Breaker()


LINKS = "links"
REFUSED: list[tuple[Any, str, str]] = [
    ([], "model_type", "network must be an object: {...}."),
    (_changed(nodes=[_node(service={"mean": 5})], links=[]), "missing", "nodes[0].service.mean_ms is missing."),
    (_changed(nodes={}), "tuple_type", "nodes must be a list"),
    (_changed(nodes=[_node(service={"mean_ms": 5, "sd": 1})]), "extra_forbidden", "known there are dist, mean_ms, cv."),
    (_changed(nodes=[_node(server=2)]), "extra_forbidden", "nodes[0].server is not known: did you mean servers?"),
    (_changed(nodes=[_node(servers="two")]), "int_parsing", "nodes[0].servers must be a whole number."),
    (_changed(nodes=[_node(servers="2", join="some")]), "int_parsing", "nodes[0].join must be a whole number."),
    (_changed(nodes=[_node(circuit_breaker={"win": 2})]), "extra_forbidden", "circuit_breaker.win is not known: "),
    (
        _changed(nodes=[_node(hours={"opens": "9am"})]),
        "string_pattern_mismatch",
        "hours.opens must be a time like 09:00",
    ),
    (_changed(begins="Monday"), "string_pattern_mismatch", "begins must be a day and a time like MON 09:00."),
    ({"nodes": [], "entry": ["a"]}, "too_short", "nodes is empty: give at least 1."),
    (_changed(entry=[]), "too_short", "entry is empty"),
    (_changed(entry=["c"]), "unknown_node", "enters at 'c'"),
    (_changed(links=[{"source": "a", "target": "x"}]), "unknown_node", "target is 'x'"),
    (
        _changed(links=[{"source": "a", "target": "b"}, {"source": "a", "target": "a"}]),
        "shares",
        "more than 1 together",
    ),
    (_changed(links=[{"source": "a", "target": "a"}]), "never_leaves", "before it leaves"),
    (_changed(nodes=[_node(), _node()], links=[]), "unique", "2 times"),
    (_changed(nodes=[_node(service={"mean_ms": -1})], links=[]), "greater_than_equal", "nodes[0].service.mean_ms"),
    (_changed(nodes=[_node(failure_probability=1.5)], links=[]), "less_than_equal", "failure_probability"),
    (_changed(nodes=[_node(max_attempts=0)], links=[]), "greater_than_equal", "max_attempts"),
    (_changed(nodes=[_node(servers=0)], links=[]), "greater_than_equal", "servers"),
    (_changed(nodes=[_node(color="red")], links=[]), "extra_forbidden", "color"),
    (_changed(nodes=[_node(join=2)], links=[]), "join", "waits for 2"),
    (_changed(nodes=[_node(quota="q")], links=[]), "unknown_quota", "'q'"),
    (_changed(nodes=[_node(hours={"opens": "17:00", "closes": "09:00"})], links=[]), "hours", "closes before"),
    (
        _changed(nodes=[_node(quota="q", tokens=5)], links=[], quotas=[{"key": "q", "tokens_per_minute": 4}]),
        "quota",
        "never holds more than 4",
    ),
]


@pytest.mark.parametrize(("value", "rule", "words"), REFUSED, ids=[f"{case[1]}: {case[2]}" for case in REFUSED])
def test_what_makes_no_sense_is_refused(value: Any, rule: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _read(value)
    assert refused.value.rule == rule
    assert words in refused.value.message
    assert "\n" not in refused.value.message


def test_forks_that_multiply_for_ever_are_refused() -> None:
    nodes = [_node(mode="fork"), {**_node(), "key": "b"}]
    links = [{"source": "a", "target": "b"}, {"source": "a", "target": "a"}]
    with pytest.raises(ValidationError, match="before it leaves"):
        _read({"nodes": nodes, "links": links, "entry": ["a"]})


@given(st.text() | st.binary())
def test_anything_else_is_refused_in_one_sentence(data: str | bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        read_network(data)
    assert refused.value.message


def test_overrides_change_what_they_name() -> None:
    model = _read(PLAIN)
    changed = overridden(model, {"nodes": {"b": {"concurrency": 5, "failure_probability": 0.2, "timeout_ms": 70}}})
    assert changed.places[0] == model.places[0]
    node = changed.places[1].node
    assert (node.servers, node.failure_probability, node.timeout_ms, node.max_attempts) == (5, 0.2, 70, 3)
    again = overridden(changed, {"nodes": {"b": {"timeout_ms": None, "circuit_breaker": True}}}).places[1].node
    assert (again.timeout_ms, again.breaker, again.servers) == (None, Breaker(), 5)


@pytest.mark.parametrize(
    ("given_overrides", "words"),
    [
        ({"nodes": {"bb": {}}}, "did you mean 'b'?"),
        ({"nodes": {"zzz": {}}}, "it has a, b."),
        ({"nodes": {"b": {"max_attempts": 0}}}, "nodes.b.max_attempts"),
        ({"nodes": {"b": {"speed": 1}}}, "nodes.b.speed is not known: known there are failure_probability, "),
        ({"nodes": {"b": {"fail_probability": 1}}}, "did you mean failure_probability?"),
        ({"nodes": {"b": {"max_attempts": 0}, "a": {"cv": -1, "jitter": 2}}}, " (2 more mistakes)"),
        ({"node": {}}, "nodes is missing."),
        ({}, "nodes is missing."),
        ({"nodes": []}, "nodes must be an object"),
    ],
)
def test_overrides_of_nothing_are_refused(given_overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        overridden(_read(PLAIN), given_overrides)
    assert words in refused.value.message
    assert (refused.value.path or ())[:2] == ("input", "overrides")


def test_a_variant_keeps_the_random_numbers_of_nodes_of_the_same_name() -> None:
    model = _read(PLAIN)
    other = _read(_changed(nodes=[*reversed(PLAIN["nodes"]), {**_node(), "key": "c"}])).paired_with(model)
    assert {place.node.key: place.node.stream for place in other.places} == {"a": 0, "b": 1, "c": 2}
