"""A snapshot stands for its entries, in whatever order; drift names exactly what differs, and shows no secret."""

from dataclasses import replace
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.production import SHOWN_MAX_CHARS, Drift, Entry, Snapshot, drift, shown

KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,5}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
PRINTS = st.sampled_from(["v1.key.aa", "v1.key.bb", "v1.key.cc"])
ENTRIES = st.one_of(
    st.builds(Entry, key=KEYS, value=VALUES), st.builds(lambda key, mark: Entry(key, fingerprint=mark), KEYS, PRINTS)
)
CONFIGURATIONS = st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry.key)
EXAMPLES = settings(max_examples=100, deadline=None)

CLEAR, SECRET = Entry("A", "x"), Entry("S", fingerprint="v1.k.1")


def of(*entries: Entry) -> Snapshot:
    return Snapshot.of(1, entries)


@given(CONFIGURATIONS.flatmap(lambda entries: st.tuples(st.just(entries), st.permutations(entries))))
@EXAMPLES
def test_the_order_of_entries_makes_no_difference(two: tuple[list[Entry], list[Entry]]) -> None:
    first, second = Snapshot.of(1, two[0]), Snapshot.of(1, two[1])
    assert first == second
    assert first.digest == second.digest
    assert drift(first, second) == ()


@given(CONFIGURATIONS, CONFIGURATIONS)
@EXAMPLES
def test_digests_are_equal_exactly_without_drift(one: list[Entry], two: list[Entry]) -> None:
    environment, production = Snapshot.of(1, one), Snapshot.of(7, two)
    found = drift(environment, production)
    assert (environment.digest == production.digest) == (found == ()) == (set(one) == set(two))
    copied, current = environment.by_key, production.by_key
    assert [each.key for each in found] == sorted(
        key for key in copied.keys() | current.keys() if copied.get(key) != current.get(key)
    )
    for each in found:
        assert (each.production is None, each.environment is None) == (each.key not in current, each.key not in copied)


@given(CONFIGURATIONS, st.data())
@EXAMPLES
def test_every_change_shows(entries: list[Entry], data: st.DataObject) -> None:
    before = Snapshot.of(1, entries)
    new = data.draw(ENTRIES.filter(lambda entry: entry not in entries))
    set_ = Snapshot.of(2, [*(entry for entry in entries if entry.key != new.key), new])
    assert set_.digest != before.digest
    assert [each.key for each in drift(before, set_)] == [new.key]
    for gone in entries:
        unset = Snapshot.of(2, [entry for entry in entries if entry != gone])
        assert unset.digest != before.digest
        assert [each.key for each in drift(before, unset)] == [gone.key]


@given(CONFIGURATIONS)
@EXAMPLES
def test_the_canonical_text_is_rfc_8785_and_can_be_read_again(entries: list[Entry]) -> None:
    snapshot = Snapshot.of(3, entries)
    plain = {
        entry.key: {"fingerprint": entry.fingerprint} if entry.secret else {"value": entry.value} for entry in entries
    }
    assert snapshot.canonical == rfc8785.dumps(plain).decode()
    assert snapshot.digest == sha256(snapshot.canonical.encode()).hexdigest()
    assert Snapshot.read(3, snapshot.canonical) == snapshot


def test_a_snapshot_of_nothing() -> None:
    nothing = Snapshot.of(0, ())
    assert (nothing.canonical, nothing.entries) == ("{}", ())
    assert Snapshot.read(0, "{}") == nothing


@pytest.mark.parametrize(
    ("environment", "production", "told"),
    [
        ([CLEAR], [Entry("A", "y")], Drift("A", "y", "x")),
        ([], [CLEAR], Drift("A", "x", None)),
        ([CLEAR], [], Drift("A", None, "x")),
        ([Entry("A", "")], [CLEAR], Drift("A", "x", "")),
        ([SECRET], [Entry("S", fingerprint="v1.k.2")], Drift("S", "secret, changed", "secret")),
        ([], [SECRET], Drift("S", "secret", None)),
        ([SECRET], [], Drift("S", None, "secret")),
        ([SECRET], [Entry("S", "hunter2")], Drift("S", "hunter2", "secret")),
        ([Entry("S", "hunter2")], [SECRET], Drift("S", "secret", "in clear")),
    ],
)
def test_drift_in_words(environment: list[Entry], production: list[Entry], told: Drift) -> None:
    assert drift(of(*environment), of(*production)) == (told,)


def test_drift_is_by_key() -> None:
    both = [Entry("same", "1"), SECRET]
    found = drift(of(*both, Entry("z", "1"), Entry("b", "1")), of(*both, Entry("z", "2"), Entry("c", "1")))
    assert [(each.key, each.production, each.environment) for each in found] == [
        ("b", None, "1"),
        ("c", "1", None),
        ("z", "2", "1"),
    ]


def test_long_values_that_begin_alike_are_told_apart() -> None:
    long = "x" * SHOWN_MAX_CHARS
    assert shown(long) == long
    (found,) = drift(of(Entry("A", long + "1")), of(Entry("A", long + "2")))
    assert found.production != found.environment
    for told in (found.production, found.environment):
        assert told
        assert told.startswith(f"{long}... (1,001 characters, SHA-256 ")
        assert len(told) < SHOWN_MAX_CHARS + 200


def test_an_entry_is_a_secret_by_its_fingerprint() -> None:
    assert SECRET.secret
    assert not CLEAR.secret
    assert not replace(CLEAR, value="").secret
