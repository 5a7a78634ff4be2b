"""When a review is expected to be decided: as long as the last ones took, and on what basis, in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.expected_review import REVIEW_WITHIN, Pace, expected_review

AT = datetime(2026, 11, 1, tzinfo=UTC)
USUALLY = "Three quarters of the last 20 reviews of internal packages were decided within 2 h 30 min"
MINUTES = [timedelta(minutes=minutes) for minutes in range(10, 210, 10)]


def pace(took: list[timedelta], waiting: int = 0, reviewers: int = 1) -> Pace:
    return Pace("internal", took, waiting, reviewers)


@pytest.mark.parametrize(
    ("seen", "default_hours", "span", "basis"),
    [
        (
            pace(MINUTES[:9]),
            4.0,
            timedelta(hours=4),
            "The policy's default of 4 h: fewer than 10 reviews of internal packages have been decided so far.",
        ),
        (
            Pace(None, MINUTES, 9, 1),
            0.5,
            timedelta(minutes=30),
            "The policy's default of 30 min: fewer than 10 reviews of packages like this one have been decided so far.",
        ),
        (
            pace(MINUTES),
            4.0,
            timedelta(minutes=150),
            f"{USUALLY}.",
        ),
        (
            pace(MINUTES, waiting=2, reviewers=3),
            4.0,
            timedelta(minutes=150),
            f"{USUALLY}.",
        ),
        (
            pace(MINUTES, waiting=5, reviewers=3),
            4.0,
            timedelta(minutes=300),
            f"{USUALLY}; 5 others wait, and there are 3 reviewers.",
        ),
        (
            pace(MINUTES, waiting=1),
            4.0,
            timedelta(minutes=300),
            f"{USUALLY}; 1 other waits, and there is 1 reviewer.",
        ),
        (
            pace(MINUTES, waiting=99, reviewers=0),
            4.0,
            timedelta(hours=24),
            f"{USUALLY}; 99 others wait, and there are no reviewers. After 24 h it expires.",
        ),
        (pace([timedelta(seconds=1)] * 10), 4.0, timedelta(seconds=1), None),
    ],
)
def test_the_time_and_its_basis(seen: Pace, default_hours: float, span: timedelta, basis: str | None) -> None:
    found = expected_review(AT, seen, default_hours=default_hours)
    assert found.at - AT == span
    assert basis is None or found.basis == basis


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.timedeltas(timedelta(0), timedelta(days=1)), max_size=50),
    st.integers(0, 1_000),
    st.integers(0, 50),
)
def test_it_is_within_a_day_and_never_sooner_for_a_longer_queue(
    took: list[timedelta], waiting: int, reviewers: int
) -> None:
    found = expected_review(AT, pace(took, waiting, reviewers))
    longer = expected_review(AT, pace(took, waiting + 1, reviewers))
    fewer = expected_review(AT, pace(took, waiting, max(0, reviewers - 1)))
    assert AT <= found.at <= longer.at <= AT + REVIEW_WITHIN
    assert found.at <= fewer.at
    assert found.basis.endswith(".")
