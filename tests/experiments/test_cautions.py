"""What is said when the numbers are not those of the long run, and that nothing is said when they are."""

import json
import re
from typing import Any

import pytest

from windtunnel.domain.experiments import ExperimentResult, Load, careful
from windtunnel.experiments.cautions import tasks_needed
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.study import study_of


def _found(
    load: Load, *nodes: dict[str, Any], links: list[dict[str, Any]] | None = None, **more: Any
) -> ExperimentResult:
    file = {"nodes": nodes, "links": links or [], "entry": [nodes[0]["key"]], **more}
    study = study_of(read_network(json.dumps(file)), None, load, probes=False)
    return findings_of(study, conduct(study)).base


def _node(mean_ms: float = 100.0, **more: Any) -> dict[str, Any]:
    return {"key": "a", "service": {"dist": "exponential", "mean_ms": mean_ms}, **more}


def _heads(found: ExperimentResult) -> list[str]:
    return [caution.head for caution in found.cautions]


def test_nothing_is_said_of_a_long_run() -> None:
    assert _heads(_found(Load(1, 30, 300, 5.0), _node())) == []
    assert _heads(_found(Load(1, 30, 1_000, 8.0), _node(10.0))) == []


def test_a_busy_network_needs_more_tasks() -> None:
    found = _found(Load(1, 100, 300, 8.0), _node())
    assert _heads(found)[0] == "Short replications"
    assert "Ask for 720 tasks" in found.cautions[0].body
    assert "Short replications" not in _heads(_found(Load(1, 30, 720, 8.0), _node()))
    # Each relaxation time of M/M/1 at load 0.8 is 71.8 tasks; who is visited twice as often forgets twice as soon.
    assert tasks_needed(0.8, 1.0) == 718
    assert tasks_needed(0.8, 2.0) == 359


def test_who_cannot_be_helped_by_tasks_gets_places() -> None:
    (caution, *_) = _found(Load(1, 30, 300, 9.9), _node()).cautions
    assert caution.head == "Short replications"
    assert "give it more places" in caution.body


@pytest.mark.parametrize("more", [{}, {"circuit_breaker": True}], ids=["with a closed form", "without"])
def test_more_work_than_can_be_done_is_said(more: dict[str, Any]) -> None:
    found = _found(Load(1, 20, 400, 15.0), _node(**more))
    assert (found.analytic is None) == bool(more)
    assert _heads(found)[0] == "Too much work"
    assert "comes to a than" in found.cautions[0].body
    (told,) = re.findall(r"While 100 tasks come about (\d+) are done", found.cautions[0].body)
    assert 60 <= int(told) <= 72  # ten of fifteen, were it to go on for long


def test_what_changes_while_it_is_looked_at_is_said() -> None:
    """A quota is full at first: the first minute is faster than all that follow."""
    node = _node(5.0, quota="q", tokens=1_000.0, servers=1_000)
    quotas = [{"key": "q", "tokens_per_minute": 60_000.0, "burst": 60_000.0, "waits": True}]
    found = _found(Load(1, 20, 300, 2.0), node, quotas=quotas)
    assert "Not settled" in _heads(found)
    assert "longer than those of the first half" in next(
        one.body for one in found.cautions if one.head == "Not settled"
    )


def test_few_tasks_and_one_replication_are_said() -> None:
    few = _found(Load(1, 2, 1, 1.0), _node())
    assert _heads(few) == ["Few tasks"]
    assert "50th and 95th and 99th" in few.cautions[0].body
    assert few.success_rate.low < 1.0
    for seed in range(4):
        assert _heads(_found(Load(seed, 1, 60, 1.0), _node())) == ["One replication"]


def test_chance_alone_is_no_drift() -> None:
    # Of sixty seeds these two have a drift outside of its 95 % interval.
    for seed in (11, 26):
        assert "Not settled" not in _heads(_found(Load(seed, 10, 100, 3.0), _node()))


def test_those_who_are_told_in_a_sentence_are_told_of_cautions() -> None:
    assert careful(_found(Load(1, 20, 400, 15.0), _node())) == " To be read with care: too much work; few tasks."
    assert not careful(_found(Load(1, 30, 300, 5.0), _node()))
