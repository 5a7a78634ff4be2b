"""Buckets of points: what goes in is what comes out."""

from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.allowances import MINUTE_MS, Bucket, draw, filled, full_in_ms, points_in, wait_for

LIMITS = st.integers(1, 10**9)
STEPS = st.lists(st.tuples(st.integers(-1_000, 3 * MINUTE_MS), st.integers(0, 2 * 10**9)), max_size=30)


@given(LIMITS, STEPS)
def test_a_bucket_is_never_below_empty_or_over_full(limit: int, steps: list[tuple[int, int]]) -> None:
    bucket, now_ms = None, 0
    for step_ms, points in steps:
        now_ms += step_ms
        drawn = draw(bucket, limit, points, now_ms)
        bucket = drawn.bucket
        assert 0 <= bucket.units <= limit * MINUTE_MS
        assert drawn.paid == (drawn.wait_ms == 0)


@given(LIMITS, STEPS)
def test_nobody_spends_more_than_a_full_bucket_and_what_has_come_since(
    limit: int, steps: list[tuple[int, int]]
) -> None:
    bucket, now_ms, spent = None, 0, 0
    for step_ms, points in steps:
        now_ms += max(0, step_ms)
        drawn = draw(bucket, limit, points, now_ms)
        bucket = drawn.bucket
        spent += points if drawn.paid else 0
        assert spent * MINUTE_MS <= limit * (MINUTE_MS + now_ms)


@given(LIMITS, st.integers(0, MINUTE_MS), st.integers(0, MINUTE_MS))
def test_it_fills_exactly_however_often_one_looks(limit: int, first: int, second: int) -> None:
    empty = Bucket(0, 0)
    at_once = filled(empty, limit, first + second)
    in_steps = filled(filled(empty, limit, first), limit, first + second)
    assert at_once == in_steps
    assert at_once.units == min(limit * MINUTE_MS, (first + second) * limit)
    assert filled(empty, limit, MINUTE_MS).units == limit * MINUTE_MS


@given(LIMITS, st.integers(0, 10**9 * MINUTE_MS), st.integers(0, 10**9))
def test_whoever_waits_as_long_as_told_can_pay_and_not_a_millisecond_before(
    limit: int, units: int, points: int
) -> None:
    bucket = Bucket(min(units, limit * MINUTE_MS), 0)
    wait_ms = wait_for(bucket, limit, points)
    if points > limit:
        assert not draw(bucket, limit, points, wait_ms).paid
        return
    assert draw(bucket, limit, points, wait_ms).paid
    if wait_ms:
        assert not draw(bucket, limit, points, wait_ms - 1).paid


def test_what_is_left_is_told_in_whole_points() -> None:
    drawn = draw(None, 100, 30, 0)
    assert (points_in(drawn.bucket), full_in_ms(drawn.bucket, 100)) == (70, 18_000)
    later = filled(drawn.bucket, 100, 700)
    assert (points_in(later), full_in_ms(later, 100)) == (71, 17_300)


def test_a_refusal_takes_nothing() -> None:
    nearly_empty = draw(None, 100, 95, 0).bucket
    refused = draw(nearly_empty, 100, 10, 0)
    assert (refused.paid, refused.wait_ms, points_in(refused.bucket)) == (False, 3_000, 5)
    assert draw(refused.bucket, 100, 5, 0).paid


def test_a_lower_limit_takes_effect_at_once() -> None:
    assert points_in(filled(Bucket(1_000 * MINUTE_MS, 0), 10, 0)) == 10
