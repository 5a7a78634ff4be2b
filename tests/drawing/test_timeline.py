"""The picture of a run over time, and its time axis."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawing.networks import HOSTILE, fan_out, network
from tests.drawing.pictures import assert_inert, of_class, read, titles, words_of
from tests.drawing.runs import events_of
from tests.examples import pipeline, review_loop, support_triage
from windtunnel.domain.events import EventKind
from windtunnel.drawing import timeline
from windtunnel.drawing.timescale import time_scale


@pytest.mark.parametrize("size", [1, 5, 16, 64])
def test_runs_of_any_network_are_sound_and_harmless(size: int) -> None:
    architecture = network(size, size)
    assert_inert(timeline(architecture, events_of(architecture)))


def test_every_step_call_failure_and_ending_is_drawn() -> None:
    events = events_of(review_loop(), 7)
    picture = timeline(review_loop(), events)
    kinds = [event.kind for event in events]
    tasks = 3
    assert len(list(of_class(picture, "wt-step"))) == kinds.count(EventKind.AGENT_START) + tasks
    assert len(list(of_class(picture, "wt-call"))) == kinds.count(EventKind.TOOL_USED) + 1
    assert words_of(picture, "wt-lane-name") == ["Writer", "Critic", "Publisher"]
    assert "recovered" in words_of(picture, "wt-legend")
    assert any("llm_hallucination (high): recovered" in title for title in titles(picture))


def test_it_says_in_words_what_it_shows() -> None:
    label = read(timeline(pipeline(), events_of(pipeline()))).get("aria-label") or ""
    assert label.startswith("Timeline: 9 steps of 3 agents in ")


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_words_stay_words(label: str) -> None:
    drawn = support_triage()
    hostile = replace(drawn, agents=tuple(replace(agent, name=label) for agent in drawn.agents))
    events = [replace(event, message=label) for event in events_of(drawn, 9)]
    assert_inert(timeline(hostile, events))


def test_a_run_that_was_cut_short_is_drawn_as_far_as_it_got() -> None:
    events = events_of(support_triage(), 9)
    for cut in (0, 1, 5, 20):
        assert_inert(timeline(support_triage(), events[:cut]))


def test_agents_with_nothing_to_do_are_named_when_there_are_many() -> None:
    architecture = fan_out(20)
    picture = timeline(architecture, events_of(architecture))
    lanes = words_of(picture, "wt-lane-name")
    assert 3 <= len(lanes) < 10
    assert any(
        words.startswith(f"{22 - len(lanes)} agents had nothing to do") for words in words_of(picture, "wt-tick")
    )


def test_the_same_run_gives_the_same_picture() -> None:
    assert timeline(network(9), events_of(network(9))) == timeline(network(9), events_of(network(9)))


@given(st.lists(st.floats(0, 1e9), max_size=40))
def test_the_axis_rises_and_fills_its_room(moments: list[float]) -> None:
    scale = time_scale(moments, 100, 900)
    places = [scale.at(moment) for moment in sorted(moments)]
    assert places == sorted(places)
    assert all(99.9 <= place <= 900.1 for place in places)
    if moments and max(moments) >= 1:
        assert scale.at(max(moments)) == pytest.approx(900, abs=0.5)  # nobody sees half a pixel
    xs = [x for x, _ in scale.ticks]
    assert xs == sorted(xs)
    assert all(later - earlier > 40 for earlier, later in pairwise(xs))


def test_an_even_axis_is_linear() -> None:
    scale = time_scale([1000, 2000, 3000, 4500, 6000, 10_000], 0, 1000)
    assert scale.gaps == []
    assert scale.at(5000) == pytest.approx(500)
    assert [words for _, words in scale.ticks] == ["0", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s", "7 s", "8 s", "9 s"]


def test_only_the_long_wait_is_shortened_and_marked() -> None:
    hour = 3_600_000
    moments = [2000, 5000, 6000, 9000, 9000 + hour, 9000 + hour + 4000, 9000 + hour + 6000]
    scale = time_scale(moments, 0, 1000)
    (gap,) = scale.gaps
    assert gap.lasts_ms == hour
    assert gap.right - gap.left < 200
    assert scale.at(5000) - scale.at(2000) == pytest.approx(scale.at(9000) - scale.at(6000))
    assert "1 h" in [words for _, words in scale.ticks]
    assert "a long wait, drawn shorter" not in words_of(timeline(pipeline(), events_of(pipeline())), "wt-legend")
    assert "a long wait, drawn shorter" in words_of(
        timeline(support_triage(), events_of(support_triage(), 9)), "wt-legend"
    )
