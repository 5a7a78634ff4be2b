"""The small words of storage: dialects, moments, texts."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.storage.dialects import POSTGRES, SQLITE, render, sqlite_arguments
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, folded, known_ids, like_pattern, storable, to_json
from windtunnel.storage.times import milliseconds, moment, optional_milliseconds, optional_moment


def test_one_text_for_both_databases() -> None:
    sql = "SELECT a FROM t WHERE b = $1 AND c = ANY($12) AND d < {now} {for_update}"
    assert (
        render(sql, POSTGRES, 0) == f"SELECT a FROM t WHERE b = $1 AND c = ANY($12) AND d < {POSTGRES.now} FOR UPDATE"
    )
    assert render(sql, SQLITE, -5) == (
        f"SELECT a FROM t WHERE b = ?1 AND c IN (SELECT value FROM json_each(?12)) AND d < ({SQLITE.now} + -5) "
    )
    assert sqlite_arguments([1, ["a", "é"], "x"]) == [1, '["a","é"]', "x"]


async def test_the_clock_is_the_database_plus_the_offset(store: Store) -> None:
    real = await store.now()
    assert abs(real - datetime.now(UTC)) < timedelta(minutes=1)
    store.clock_offset = timedelta(days=30, milliseconds=7)
    shifted = await store.now()
    assert timedelta(days=30) < shifted - real < timedelta(days=30, minutes=1)


@given(st.integers(0, 8 * 10**15))
@settings(max_examples=50)
def test_moments_survive_to_the_millisecond(microseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    there = moment(milliseconds(at))
    assert timedelta(0) <= at - there < timedelta(milliseconds=1)
    assert moment(milliseconds(there)) == there


def test_moments_of_other_zones_and_none() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=2)))
    assert moment(milliseconds(at)) == at
    assert moment(milliseconds(at)).utcoffset() == timedelta(0)
    assert (optional_milliseconds(None), optional_moment(None)) == (None, None)
    assert optional_moment(optional_milliseconds(at)) == at


@given(st.text(st.characters(codec=None), max_size=30))
@settings(max_examples=100)
def test_cleaned_text_can_be_stored_and_good_text_stays(text: str) -> None:
    clean = cleaned(text)
    assert storable(clean)
    clean.encode()
    assert (clean == text) == storable(text)
    assert len(clean) == len(text)


def test_json_of_odd_values() -> None:
    assert to_json({"a": (1, "x\0"), "\ud800": None}) == '{"a":[1,"x\ufffd"],"\ufffd":null}'
    assert to_json(["\\u0000"]) == '["\\\\u0000"]'
    with pytest.raises(TypeError):
        to_json({"a": object()})


def test_folding_and_patterns() -> None:
    assert folded("STRASSE E\u0301") == folded("straße é")
    assert like_pattern("50%_\\") == "%50\\%\\_\\\\%"
    assert known_ids(["a", "b", "a", "\0", "é", "x" * 65, ""]) == ["a", "b", ""]
