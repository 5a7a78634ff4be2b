"""Which failures strike: planned ones by their probability, follow-ups, and for certain what was asked for."""

from dataclasses import replace

import pytest

from tests.examples import pipeline, support_triage
from tests.simulation.networks import agent, link, mode, network
from tests.simulation.stories import of, rest, story
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureEffect, FaultUnit, Inject
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run

ERROR = FailureEffect(Inject.ERROR, FaultUnit.MODEL_CALL, 0.1, silent=False, retryable=True)


def test_failures_drag_others_along() -> None:
    first = mode(1, FailureEffect(Inject.ERROR, FaultUnit.MODEL_CALL, 1, False, True, ("code_2",)))
    second = replace(mode(2, FailureEffect(Inject.LATENCY, FaultUnit.MODEL_CALL, 1, False, True)), probability=0.0)
    architecture = network([agent(0), agent(1)], [link(0, 0, 1)], modes=[replace(first, probability=1.0), second])
    causes = set()
    for seed in range(20):
        drafts = rest(Run(architecture, seed, failures=FailureInjection.AUTO))
        struck = [one.body for one in of(drafts, EventKind.FAILURE_EVENT) if one.body["outcome"] is None]
        causes |= {(one["code"], one["detail"]["caused_by"]) for one in struck}
    assert causes == {("code_1", None), ("code_2", "mode_1#1")}
    listed = story(architecture, first)
    assert {one.body["code"] for one in of(listed, EventKind.FAILURE_EVENT)} == {"code_1"}


def test_planned_failures_strike_as_often_as_predicted() -> None:
    effect = FailureEffect(Inject.LATENCY, FaultUnit.MODEL_CALL, 1, False, True)
    modes = [replace(mode(n, effect), probability=share) for n, share in enumerate((0.9, 0.3, 0.02))]
    architecture = network([agent(0), agent(1)], [link(0, 0, 1)], modes=modes)
    struck = [0, 0, 0]
    for seed in range(300):
        drafts = rest(Run(architecture, seed, failures=FailureInjection.AUTO))
        codes = {one.body["code"] for one in of(drafts, EventKind.FAILURE_EVENT)}
        assert codes
        for number in range(3):
            struck[number] += f"code_{number}" in codes
    assert struck[0] / 300 == pytest.approx(0.95, abs=0.05)
    assert struck[1] / 300 == pytest.approx(0.32, abs=0.08)
    assert struck[2] / 300 == pytest.approx(0.02, abs=0.03)


def test_a_command_strikes_where_it_is_aimed() -> None:
    slow = mode(1, FailureEffect(Inject.LATENCY, FaultUnit.TOOL_CALL, 0.1, False, True), targets=["refund"])
    for target, at in (
        ("technical", "technical"),
        ("tool_vector_search", None),
        ("nobody", "refund"),
        (None, "refund"),
    ):
        run = Run(support_triage(), 1, failures=FailureInjection.NONE)
        drafts = run.advance(5)
        run.inject(slow, target)
        struck = of([*drafts, *rest(run)], EventKind.FAILURE_EVENT)[0]
        assert struck.agent_key == at or (at is None and struck.body["detail"]["tool"] == "tool_vector_search")


def test_what_is_asked_for_shows_even_where_no_task_comes_by() -> None:
    links = [link(0, 0, 1, share=1.0), link(1, 0, 2, share=0.0)]
    architecture = network([agent(n) for n in range(3)], links)
    asked = [mode(n, FailureEffect(Inject.ERROR, FaultUnit.EDGE, 0.1, False, True), targets=["a2"]) for n in (1, 2)]
    drafts = story(architecture, *asked)
    assert {one.body["code"] for one in of(drafts, EventKind.FAILURE_EVENT)} == {"code_1", "code_2"}
    assert {one.agent_key for one in of(drafts, EventKind.FAILURE_EVENT)} <= {"a0", "a2"}


def test_nothing_can_be_injected_when_the_run_is_over() -> None:
    run = Run(pipeline(), 1, failures=FailureInjection.NONE)
    rest(run)
    with pytest.raises(ConflictError):
        run.inject(mode(1, ERROR), None)
    assert run.advance(5) == []
