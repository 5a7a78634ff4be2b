"""Durations: every one that can be written reads back the same, and nothing else is read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT4M30S", timedelta(minutes=4, seconds=30)),
        ("P1D", timedelta(days=1)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("PT0S", timedelta(0)),
        ("PT0.25S", timedelta(milliseconds=250)),
        ("-PT1H", timedelta(hours=-1)),
        ("-PT0.000001S", timedelta(microseconds=-1)),
    ],
)
def test_a_duration_has_one_spelling(text: str, duration: timedelta) -> None:
    assert format_duration(duration) == text
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P2W", timedelta(weeks=2)),
        ("PT25H", timedelta(hours=25)),
        ("PT90M", timedelta(minutes=90)),
        ("+PT1S", timedelta(seconds=1)),
        ("PT1,5S", timedelta(seconds=1.5)),
        ("PT0.1234567S", timedelta(microseconds=123456)),
    ],
)
def test_other_legal_spellings_are_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "1D", "P1Y", "P1M", "PT1.5H", "P1W1D", "PT1S ", "PT1M\n", "pt1s", "PT-1S", "P٣D", "1:00"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P1000000000D", "PT" + "9" * 30 + "H", "PT" + "9" * 5000 + "S"])
def test_a_duration_longer_than_any_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.timedeltas())
def test_every_duration_survives_the_journey(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(alphabet="P0123456789DTHMSW.,+- ", max_size=12))
def test_whatever_is_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(format_duration(duration)) == duration
