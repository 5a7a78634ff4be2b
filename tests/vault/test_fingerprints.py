import base64
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.vault.sealing import KEY_BYTES, Vault

ABOUT = ("production_entries", "tenant-1", "API_KEY")
KEY = bytes(range(KEY_BYTES))
OTHER = bytes(reversed(KEY))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(TEXTS, TEXTS, st.lists(st.text(max_size=20), max_size=3))
@settings(max_examples=100, deadline=None)
def test_equal_texts_have_equal_fingerprints_and_others_have_others(one: str, two: str, about: list[str]) -> None:
    vault = Vault([KEY])
    assert (vault.fingerprint(one, about) == vault.fingerprint(two, about)) == (one == two)
    assert vault.is_fingerprint_of(vault.fingerprint(one, about), two, about) == (one == two)


@pytest.mark.parametrize(
    "about",
    [("production_entries", "tenant-2", "API_KEY"), ("production_entries", "tenant-1", "API"), ABOUT[:2], ()],
)
def test_equal_texts_in_two_places_have_nothing_in_common(about: tuple[str, ...]) -> None:
    vault = Vault([KEY])
    here = vault.fingerprint("hunter2", ABOUT)
    assert vault.fingerprint("hunter2", about) != here
    assert not vault.is_fingerprint_of(here, "hunter2", about)


def test_nothing_of_a_place_can_be_taken_for_the_text() -> None:
    vault = Vault([KEY])
    assert vault.fingerprint("bc", ["a"]) != vault.fingerprint("c", ["a", "b"])
    assert vault.fingerprint("", ["a", "b"]) != vault.fingerprint("b", ["a"])


def test_without_the_key_it_cannot_be_made() -> None:
    made = Vault([KEY]).fingerprint("hunter2", ABOUT)
    assert made.rpartition(".")[2] not in {
        Vault([OTHER]).fingerprint("hunter2", ABOUT).rpartition(".")[2],
        sha256(b"hunter2").hexdigest(),
    }
    assert not Vault([OTHER]).is_fingerprint_of(made, "hunter2", ABOUT)
    assert "hunter2" not in made
    assert base64.b64encode(b"hunter2").decode() not in made


def test_keys_can_be_rotated() -> None:
    old, both = Vault([KEY]), Vault([OTHER, KEY])
    before = old.fingerprint("hunter2", ABOUT)
    assert both.fingerprint("hunter2", ABOUT) != before
    assert both.is_fingerprint_of(before, "hunter2", ABOUT)
    assert not both.is_fingerprint_of(before, "hunter3", ABOUT)
    assert both.is_fingerprint_of(both.fingerprint("hunter2", ABOUT), "hunter2", ABOUT)


@pytest.mark.parametrize("given", ["", "v1", "v1..", "v1.0123456789abcdef.00", "hunter2", "v1.é.é"])
def test_what_was_never_made_here_belongs_to_no_text(given: str) -> None:
    assert not Vault([KEY]).is_fingerprint_of(given, "hunter2", ABOUT)


def test_a_cut_fingerprint_belongs_to_no_text() -> None:
    vault = Vault([KEY])
    made = vault.fingerprint("hunter2", ABOUT)
    assert not any(vault.is_fingerprint_of(made[:end], "hunter2", ABOUT) for end in range(len(made)))
