import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.vault.key_files import KeyRefusedError, read_or_create
from windtunnel.vault.sealing import KEY_BYTES, UnsealError, Vault

ABOUT = ("webhooks", "tenant-1", "row-1")
KEY = bytes(range(KEY_BYTES))
OTHER = bytes(reversed(KEY))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.text(max_size=20), max_size=3))
@settings(max_examples=50, deadline=None)
def test_what_is_sealed_comes_back(plain: str, about: list[str]) -> None:
    vault = Vault([KEY])
    assert vault.unseal(vault.seal(plain, about), about) == plain


def test_a_sealed_text_shows_nothing_and_is_never_the_same() -> None:
    vault = Vault([KEY])
    sealed = {vault.seal("whsec_secret", ABOUT) for _ in range(100)}
    assert len(sealed) == 100
    assert not any("secret" in text or "tenant" in text for text in sealed)
    nonces = {base64.urlsafe_b64decode(text.split(".")[2])[:12] for text in sealed}
    assert len(nonces) == 100


@pytest.mark.parametrize(
    "about",
    [
        ("webhooks", "tenant-2", "row-1"),
        ("webhooks", "tenant-1", "row-2"),
        ("agents", "tenant-1", "row-1"),
        ("webhooks", "tenant-1"),
        ("webhooks", "tenant-1row-1", ""),
        (),
    ],
)
def test_it_is_worth_nothing_in_another_place(about: tuple[str, ...]) -> None:
    vault = Vault([KEY])
    with pytest.raises(UnsealError):
        vault.unseal(vault.seal("plain", ABOUT), about)


def test_every_changed_character_is_noticed() -> None:
    vault = Vault([KEY])
    sealed = vault.seal("plain", ABOUT)
    for place, char in enumerate(sealed):
        changed = sealed[:place] + ("A" if char != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(UnsealError):
            vault.unseal(changed, ABOUT)


@pytest.mark.parametrize("sealed", ["", "v1", "v1..", "v1.0123456789abcdef.AAAA", "plain text", "v1.é.é"])
def test_what_was_never_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(UnsealError):
        Vault([KEY]).unseal(sealed, ABOUT)


@pytest.mark.parametrize("tail", ["", "A", "AAAA", "é", "A" * 40])
def test_a_cut_or_garbled_text_is_refused(tail: str) -> None:
    vault = Vault([KEY])
    head = vault.seal("plain", ABOUT).rpartition(".")[0]
    with pytest.raises(UnsealError):
        vault.unseal(f"{head}.{tail}", ABOUT)


def test_keys_can_be_rotated() -> None:
    old, both, new = Vault([KEY]), Vault([OTHER, KEY]), Vault([OTHER])
    before = old.seal("before", ABOUT)
    after = both.seal("after", ABOUT)
    assert both.unseal(before, ABOUT) == "before"
    assert new.unseal(after, ABOUT) == "after"
    for vault, sealed in ((new, before), (old, after)):
        with pytest.raises(UnsealError, match="key that is not here"):
            vault.unseal(sealed, ABOUT)


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys" / "secrets.key"
    sealed = Vault.open(path).seal("plain", ABOUT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Vault.open(path).unseal(sealed, ABOUT) == "plain"
    assert [each.name for each in path.parent.iterdir()] == ["secrets.key"]


def test_processes_that_come_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.key"
    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(lambda number: read_or_create(path, lambda: b"%d" % number), range(64)))
    assert len(read) == 1
    assert [each.name for each in path.parent.iterdir()] == ["secrets.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", base64.b64encode(b"31 bytes" * 3), b"A" * 100_000])
def test_a_bad_key_file_is_one_sentence_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secrets.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyRefusedError) as refused:
        Vault.open(path)
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert content.decode("ascii", "replace")[:20] not in sentence or not content


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secrets.key"
    Vault.open(path)
    path.chmod(mode)
    with pytest.raises(KeyRefusedError, match="chmod 600"):
        Vault.open(path)


def test_a_key_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(KeyRefusedError, match="cannot be used"):
        Vault.open(blocked / "keys" / "secrets.key")
    assert list(tmp_path.iterdir()) == [blocked]


@pytest.mark.parametrize("keys", [[], [""], ["not base64!"], [base64.b64encode(b"x" * 31).decode()], ["é"]])
def test_a_bad_key_text_is_refused(keys: list[str]) -> None:
    with pytest.raises(KeyRefusedError) as refused:
        Vault.of_text(keys)
    assert not any(key and key in str(refused.value) for key in keys)
