"""Signed notes: what is signed, by whom, and what is refused."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from windtunnel.vault.key_files import KeyRefusedError
from windtunnel.vault.signing import Signer, Verifier

NAME = "example.com/log"
TEXT = "example.com/log\n5\nabc\n"


def signer(seed: int = 1) -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def test_a_note_is_text_blank_line_and_signature() -> None:
    note = signer().note(NAME, TEXT)
    assert note.startswith(TEXT + f"\n\N{EM DASH} {NAME} ")
    assert note.endswith("\n")
    assert signer().verifier.signed_text(note, NAME) == TEXT


def test_keys_are_named_as_other_tools_name_them() -> None:
    verifier = signer().verifier
    key_id = sha256(NAME.encode() + b"\n\x01" + verifier.public).digest()[:4]
    key = base64.b64encode(b"\x01" + verifier.public).decode()
    line = f"{NAME}+{key_id.hex()}+{key}"
    assert verifier.line(NAME) == line
    assert Verifier.of_line(line, NAME) == verifier
    signature = base64.b64decode(signer().note(NAME, TEXT).split()[-1])
    assert signature[:4] == key_id
    Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature[4:], TEXT.encode())


def test_a_key_whose_text_has_a_plus_is_read_as_well() -> None:
    verifiers = [signer(seed).verifier for seed in range(40)]
    assert any(verifier.line(NAME).count("+") > 2 for verifier in verifiers)
    assert [Verifier.of_line(verifier.line(NAME), NAME) for verifier in verifiers] == verifiers


@pytest.mark.parametrize(
    "line",
    ["", NAME, f"{NAME}+00000000+", f"{NAME}+00000000+????", signer().verifier.line("another/name"), "+", "\ud800"],
)
def test_other_lines_are_no_keys(line: str) -> None:
    assert Verifier.of_line(line, NAME) is None


def test_forgeries_are_refused() -> None:
    verifier, note = signer().verifier, signer().note(NAME, TEXT)
    signature = note.splitlines()[-1]
    garbled = base64.b64encode(base64.b64decode(signature.split()[-1])[:-1] + b"\0").decode()
    for forged in (
        "",
        TEXT,
        note[:-60],
        note.replace("5", "6"),
        note.replace("\n\n", "\n"),
        signer(2).note(NAME, TEXT),
        signer().note("example.com/other", TEXT),
        f"{TEXT}\n\N{EM DASH} {NAME} {garbled}\n",
        f"{TEXT}\n\N{EM DASH} {NAME} ????\n",
        f"{note}\N{EM DASH} {NAME} {garbled}\n",  # ours twice, and once it does not hold
    ):
        assert verifier.signed_text(forged, NAME) is None, forged


def test_signatures_of_others_do_not_matter() -> None:
    note = signer().note(NAME, TEXT)
    witness = signer(2).note("example.com/witness", TEXT).splitlines()[-1]
    assert signer().verifier.signed_text(f"{note}{witness}\n", NAME) == TEXT


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "audit.key"
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: Signer.open(path).verifier, range(16)))
    assert len(set(made)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["audit.key"]


def test_other_files_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"secret", other):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyRefusedError, match="Ed25519 private key in PEM") as refused:
            Signer.open(path)
        assert "secret" not in str(refused.value)
