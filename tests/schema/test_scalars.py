"""Date-times and durations as clients write and read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import read_datetime, read_duration, write_datetime

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert write_datetime(NOON + timedelta(microseconds=5_678)) == "2026-01-02T12:00:00.005Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T12:00:00Z",
        "2026-01-02T12:00:00.000Z",
        "2026-01-02t12:00:00z",
        "2026-01-02 12:00:00+00:00",
        "2026-01-02T14:30:00+02:30",
        "2026-01-02T00:00:00.0000000000-12:00",
    ],
)
def test_a_time_with_an_offset_is_read(text: str) -> None:
    assert read_datetime(text) == NOON
    assert read_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02T12:00:00",
        "2026-01-02",
        "2026-13-02T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-02T24:00:01Z",
        "2026-W01-1T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "today",
        "",
        "\ud800",
        1767355200,
        None,
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|years|must be in|out of range|month|day|hour|isoformat"):
        read_datetime(value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_survives_the_journey_to_the_millisecond(time: datetime) -> None:
    assert read_datetime(write_datetime(time)) == time.replace(microsecond=time.microsecond // 1000 * 1000)


def test_a_duration_is_text() -> None:
    assert read_duration("PT4M30S") == timedelta(seconds=270)
    with pytest.raises(ValueError, match="ISO 8601"):
        read_duration(270)
