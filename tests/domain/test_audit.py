"""The hash of an audit entry: canonical, and of every stored column."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.audit import (
    COLUMNS,
    GENESIS_HASH,
    AuditAction,
    AuditEntry,
    canonical,
    canonical_details,
    hash_of,
    is_intact,
    pieces,
)
from windtunnel.domain.entities import Kind

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
DETAILS = st.dictionaries(TEXT, JSON, max_size=3).map(canonical_details)
COLUMN: dict[str, st.SearchStrategy[Any]] = {
    "tenant_id": TEXT,
    "seq": NUMBERS,
    "id": TEXT,
    "at_ms": st.integers(0, 250_000_000_000_000),  # up to the year 9892
    "actor_id": st.none() | TEXT,
    "token_id": st.none() | TEXT,
    "action": st.sampled_from([action.value for action in AuditAction]),
    "subject_kind": st.sampled_from([kind.value for kind in Kind]),
    "subject_id": TEXT,
    "reason": st.none() | TEXT,
    "request_id": TEXT,
    "details": DETAILS,
    "previous_hash": HASHES,
    "hash": st.just(""),
}
ENTRIES = st.builds(AuditEntry, **COLUMN)
EXAMPLE = AuditEntry(
    tenant_id="t",
    seq=1,
    id="e",
    at_ms=1_700_000_000_000,
    actor_id=None,
    token_id=None,
    action="SCENARIO_CREATED",
    subject_kind="Scenario",
    subject_id="s",
    reason="wegen «ü»\n",
    request_id="",
    details='{"b":[1,2.5],"ä":null}',
    previous_hash=GENESIS_HASH,
    hash="",
)


def test_columns_are_all_tried() -> None:
    assert tuple(COLUMN) == COLUMNS


@settings(max_examples=60)
@given(ENTRIES)
def test_what_is_hashed_is_canonical_json(entry: AuditEntry) -> None:
    details = json.loads(entry.details, parse_int=float)  # JSON knows one kind of number
    columns: dict[str, Any] = {**asdict(entry), "details": details}
    del columns["hash"]
    assert canonical(entry) == rfc8785.dumps(columns)


@settings(max_examples=60)
@given(ENTRIES)
def test_the_pieces_fit_around_what_is_known_last(entry: AuditEntry) -> None:
    before, between, behind, end = pieces(entry)
    whole = f"{before}{entry.at_ms}{between}{entry.previous_hash}{behind}{entry.seq}{end}"
    assert whole.encode() == canonical(entry)


@settings(max_examples=120)
@given(ENTRIES, st.data())
def test_every_column_is_covered(entry: AuditEntry, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from([name for name in COLUMNS if name != "hash"]))
    other = data.draw(COLUMN[column].filter(lambda value: value != getattr(entry, column)))
    assert hash_of(replace(entry, **{column: other})) != hash_of(entry)


def test_the_hash_is_what_anybody_can_compute() -> None:
    text = (
        '{"action":"SCENARIO_CREATED","actor_id":null,"at_ms":1700000000000,"details":{"b":[1,2.5],"ä":null},"id":"e",'
        f'"previous_hash":"{GENESIS_HASH}","reason":"wegen «ü»\\n","request_id":"","seq":1,"subject_id":"s",'
        '"subject_kind":"Scenario","tenant_id":"t","token_id":null}'
    )
    assert canonical(EXAMPLE).decode() == text
    assert hash_of(EXAMPLE) == "dcaf57e978401b4a6229c3f2f62675cf38e63a64c2d40ffc019a23bb8c01740c"


@pytest.mark.parametrize(
    "change",
    [
        {"details": '{"b":[1,2.5], "ä":null}'},  # the same JSON, written differently
        {"details": '{"b":0,"b":[1,2.5],"ä":null}'},
        {"reason": None},
        {"reason": b"bytes"},
        {"seq": 1.0},
        {"at_ms": "1700000000000"},
        {"details": "\ud800"},
        {"hash": ""},
    ],
    ids=str,
)
def test_what_was_written_over_is_not_intact(change: dict[str, Any]) -> None:
    intact = replace(EXAMPLE, hash=hash_of(EXAMPLE))
    assert is_intact(intact)
    assert not is_intact(replace(intact, **change))


def test_details_that_json_cannot_hold_exactly_are_a_defect() -> None:
    for value in (2**53, float("nan")):
        with pytest.raises(ValueError, match=r"domain|range|representable"):
            canonical_details({"value": value})
