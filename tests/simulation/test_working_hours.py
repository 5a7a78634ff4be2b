"""People work in their hours: where work begins, stops and goes on, to the minute."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Node, Route, compile_network
from windtunnel.simulation.resilience import DAY_MS, HOUR_MS, WEEK_MS, WorkingHours
from windtunnel.simulation.working_hours import Calendar, compile_calendar

OFFICE = WorkingHours()


def _calendar(*, begins_h: float = 0.0, overtime: bool = False) -> Calendar:
    return compile_calendar(replace(OFFICE, overtime=overtime), begins_h * HOUR_MS)


@pytest.mark.parametrize(
    ("hour", "begins"),
    [(0, 9), (9, 9), (16.99, 16.99), (17, 33), (4 * 24 + 17, 7 * 24 + 9), (6 * 24, 7 * 24 + 9), (7 * 24, 7 * 24 + 9)],
)
def test_work_begins_at_the_next_open_moment(hour: float, begins: float) -> None:
    assert _calendar().begin(hour * HOUR_MS) == pytest.approx(begins * HOUR_MS)


@pytest.mark.parametrize(
    ("start", "work", "end"),
    [
        (9, 8, 17),  # exactly until closing time
        (16, 2, 24 + 10),  # the rest on the next day
        (4 * 24 + 16, 2, 7 * 24 + 10),  # the rest after the weekend
        (9, 8 + 8 + 4, 2 * 24 + 13),
        (9, 40, 4 * 24 + 17),  # a week
        (9, 41, 7 * 24 + 10),
        (10, 40, 7 * 24 + 10),
        (24 + 12, 120, 22 * 24 + 12),  # three weeks
    ],
)
def test_work_stops_at_closing_time_and_goes_on(start: float, work: float, end: float) -> None:
    assert _calendar().finish(start * HOUR_MS, work * HOUR_MS) == pytest.approx(end * HOUR_MS)


def test_with_overtime_what_was_begun_is_finished() -> None:
    calendar = _calendar(overtime=True)
    assert calendar.begin(18 * HOUR_MS) == 33 * HOUR_MS
    assert calendar.finish(16 * HOUR_MS, 5 * HOUR_MS) == 21 * HOUR_MS


def test_time_may_begin_at_any_moment_of_the_week() -> None:
    calendar = _calendar(begins_h=4 * 24 + 16)  # Friday, 16:00
    assert calendar.begin(30 * 60_000.0) == 30 * 60_000.0
    assert calendar.begin(1 * HOUR_MS) == pytest.approx((2 * 24 + 17) * HOUR_MS)
    assert calendar.finish(0.0, 2 * HOUR_MS) == pytest.approx((2 * 24 + 18) * HOUR_MS)


@given(
    opens=st.floats(0, 0.9),
    length=st.floats(0.01, 0.1),
    days=st.sets(st.integers(0, 6), min_size=1),
    begins=st.floats(0, WEEK_MS),
    now=st.floats(0, 3 * WEEK_MS),
    work=st.floats(0, WEEK_MS),
)
def test_between_beginning_and_end_lies_exactly_the_work(
    *, opens: float, length: float, days: set[int], begins: float, now: float, work: float
) -> None:
    hours = WorkingHours(opens * DAY_MS, (opens + length) * DAY_MS, tuple(days))
    calendar = compile_calendar(hours, begins)
    start = calendar.begin(now)
    end = calendar.finish(start, work)
    open_ms = 0.0
    for day in range(int((start + begins) // DAY_MS), int((end + begins) // DAY_MS) + 1):
        if day % 7 in days:
            first = max(start + begins, day * DAY_MS + hours.opens_ms)
            last = min(end + begins, day * DAY_MS + hours.closes_ms)
            open_ms += max(0.0, last - first)
    # A tenth of a millisecond in up to some hundred weeks, whose moments are not exact themselves.
    assert open_ms == pytest.approx(work, abs=0.1)


@pytest.mark.parametrize("hours", [replace(OFFICE, days=()), WorkingHours(HOUR_MS, HOUR_MS), WorkingHours(-1.0, 1.0)])
def test_hours_that_never_open_are_refused(hours: WorkingHours) -> None:
    with pytest.raises(ValueError, match="open on some day"):
        compile_calendar(hours, 0.0)


def test_a_person_decides_during_the_day() -> None:
    # Tasks come at five to five on a Monday; ten minutes of work each, one person.
    person = Node("p", ServiceTime(10 * 60_000.0, distribution=Distribution.DETERMINISTIC), hours=OFFICE)
    network = compile_network([person], [], ["p"], begins_ms=16 * HOUR_MS + 55 * 60_000.0)
    outcome = simulate(network, seed=1, tasks=3, arrivals_per_ms=1e3)
    minutes = outcome.left_ms / 60_000.0
    assert minutes == pytest.approx([16 * 60 + 10, 16 * 60 + 20, 16 * 60 + 30], abs=0.01)
    assert outcome.nodes[0].busy_ms == pytest.approx(30 * 60_000.0)
    late = simulate(
        compile_network([replace(person, hours=replace(OFFICE, overtime=True))], [], ["p"], begins_ms=16.9 * HOUR_MS),
        seed=1,
        tasks=3,
        arrivals_per_ms=1e3,
    )
    # The first is finished at 17:04, the others wait for the morning.
    assert late.left_ms / 60_000.0 == pytest.approx([10, 16 * 60 + 16, 16 * 60 + 26], abs=0.01)
    assert late.nodes[0].wait_ms / 60_000.0 == pytest.approx(16 * 60 + 6 + 16 * 60 + 16, abs=0.01)


def test_a_person_among_machines_only_delays() -> None:
    nodes = [Node("m", ServiceTime(100.0)), Node("p", ServiceTime(60_000.0), servers=50, hours=OFFICE)]
    network = compile_network(nodes, [Route("m", "p")], ["m"])
    outcome = simulate(network, seed=1, tasks=2_000, arrivals_per_ms=2_000 / WEEK_MS)
    assert outcome.succeeded.all()
    # Three quarters and a bit of a week are closed: 128 of 168 hours.
    waited = (outcome.left_ms - outcome.born_ms) > 30 * 60_000.0
    assert waited.mean() == pytest.approx(128 / 168, abs=0.05)
