"""Which entries are accepted, and what becomes of a configuration."""

import pytest

from windtunnel.domain.configuring import Change, EntryRequest, after, change_of, check_request, on_record
from windtunnel.domain.errors import QuotaError, ValidationError
from windtunnel.domain.policy import PRODUCTION_VALUE_MAX_BYTES
from windtunnel.domain.production import Entry, Snapshot

SECRET = Entry("S", fingerprint="v1.k.1")
BEFORE = Snapshot.of(4, [Entry("A", "1"), Entry("B", "2"), SECRET])


@pytest.mark.parametrize("key", ["A", "z", "OPENAI_API_KEY", "model.name-2", "a" * 200])
def test_what_a_key_can_be(key: str) -> None:
    check_request([EntryRequest(key, "")], [])


@pytest.mark.parametrize("key", ["", "1A", "_A", "-", "A B", "A\n", "Ä", "a" * 201, "A=", "A\0", "\ud800", "../A"])
def test_what_no_key_can_be(key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_request([EntryRequest("A", ""), EntryRequest(key, "")], [])
    assert (refused.value.rule, refused.value.path) == ("bad_key", ("input", "set", "1", "key"))


@pytest.mark.parametrize(
    ("wanted", "unset", "place"), [(["A", "B", "A"], [], "2"), (["B", "A"], ["C", "A"], "1"), (["A"], ["A"], "0")]
)
def test_a_key_is_named_once(wanted: list[str], unset: list[str], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_request([EntryRequest(key, "x") for key in wanted], unset)
    assert (refused.value.rule, refused.value.path) == ("key_repeated", ("input", "set", place, "key"))


def test_keys_to_unset_may_be_anything_and_come_twice() -> None:
    check_request([], ["A", "A", "", "\0", "\ud800"])
    assert change_of(BEFORE, [], ["A", "A", "", "\0", "\ud800"]) == Change((), ("A",))


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("x" * (PRODUCTION_VALUE_MAX_BYTES + 1), "string_too_long"),
        ("ä" * (PRODUCTION_VALUE_MAX_BYTES // 2) + "x", "string_too_long"),
        ("a\0b", "string_unstorable"),
        ("\ud800", "string_unstorable"),
    ],
)
def test_what_no_value_can_be(value: str, rule: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_request([EntryRequest("A", value)], [])
    assert (refused.value.rule, refused.value.path) == (rule, ("input", "set", "0", "value"))
    assert value not in refused.value.message


@pytest.mark.parametrize("value", ["", " \n", "x" * PRODUCTION_VALUE_MAX_BYTES, "ä" * 32_768])
def test_what_a_value_can_be(value: str) -> None:
    check_request([EntryRequest("A", value)], [])


@pytest.mark.parametrize("field", ["set", "unset"])
def test_a_request_has_its_bounds(field: str) -> None:
    keys = [f"K{number}" for number in range(501)]
    wanted, unset = ([EntryRequest(key, "") for key in keys], []) if field == "set" else ([], keys)
    with pytest.raises(ValidationError) as refused:
        check_request(wanted, unset)
    assert (refused.value.rule, refused.value.path) == ("too_many_entries", ("input", field))
    check_request(wanted[1:], unset[1:])


def test_a_request_does_not_show_its_value() -> None:
    assert "hunter2" not in repr(EntryRequest("A", "hunter2", secret=True))


def test_what_is_so_already_is_no_change() -> None:
    change = change_of(BEFORE, [Entry("A", "1"), SECRET], ["C"])
    assert not change
    assert change == Change((), ())


def test_a_change_is_what_differs() -> None:
    new = Entry("S", fingerprint="v1.k.2")
    change = change_of(BEFORE, [new, Entry("C", ""), Entry("A", "1")], ["D", "B"])
    assert change == Change((Entry("C", ""), new), ("B",))
    assert change
    assert change_of(BEFORE, [], ["B"])
    assert after(BEFORE, change) == Snapshot.of(5, [Entry("A", "1"), Entry("C", ""), new])


def test_production_has_at_most_500_entries() -> None:
    full = Snapshot.of(1, [Entry(f"K{number}", "") for number in range(500)])
    with pytest.raises(QuotaError) as refused:
        after(full, change_of(full, [Entry("One_more", "")], []))
    assert (refused.value.limit, refused.value.used, refused.value.path) == (500, 500, ("input", "set"))
    assert len(after(full, change_of(full, [Entry("One_more", "")], ["K7"])).entries) == 500
    assert len(after(full, change_of(full, [Entry("K7", "2")], [])).entries) == 500


def test_what_is_in_clear_has_a_size_in_all() -> None:
    value = "x" * PRODUCTION_VALUE_MAX_BYTES
    large = Snapshot.of(1, [Entry(f"K{number:02}", value) for number in range(15)])
    secret = change_of(large, [Entry(f"S{number:02}", fingerprint="v1.k.1") for number in range(400)], [])
    assert len(after(large, secret).entries) == 415
    with pytest.raises(QuotaError) as refused:
        after(large, change_of(large, [Entry("K15", value)], []))
    assert (refused.value.limit, refused.value.used) == (1024 * 1024, 15 * (3 + 65_536))
    assert after(large, change_of(large, [Entry("K15", value)], ["K00"])).entries[-1].value == value


def test_the_record_has_keys_and_values_in_clear_and_no_secret() -> None:
    change = change_of(BEFORE, [Entry("A", "9"), Entry("C", "3"), Entry("S", fingerprint="v1.k.2")], ["B"])
    assert on_record(BEFORE, change) == {
        "revision": 5,
        "set": ["A", "C", "S"],
        "unset": ["B"],
        "from": [
            {"key": "A", "secret": False, "value": "1"},
            {"key": "S", "secret": True},
            {"key": "B", "secret": False, "value": "2"},
        ],
        "to": [
            {"key": "A", "secret": False, "value": "9"},
            {"key": "C", "secret": False, "value": "3"},
            {"key": "S", "secret": True},
        ],
    }


def test_the_record_shows_no_value_of_what_becomes_a_secret() -> None:
    change = change_of(BEFORE, [Entry("A", fingerprint="v1.k.3"), Entry("S", "in clear now")], [])
    assert on_record(BEFORE, change) == {
        "revision": 5,
        "set": ["A", "S"],
        "unset": [],
        "from": [{"key": "A", "secret": False}, {"key": "S", "secret": True}],
        "to": [{"key": "A", "secret": True}, {"key": "S", "secret": False, "value": "in clear now"}],
    }


def test_the_record_of_a_removed_secret_is_its_key() -> None:
    assert on_record(BEFORE, change_of(BEFORE, [], ["S"])) == {
        "revision": 5,
        "set": [],
        "unset": ["S"],
        "from": [{"key": "S", "secret": True}],
        "to": [],
    }
