"""Signed notes (C2SP signed-note, Ed25519): a text, a blank line, then one line for each signature."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from windtunnel.vault.key_files import KeyRefusedError, read_or_create

DASH = "\N{EM DASH} "
"""What a signature line begins with."""

_ED25519 = b"\x01"
_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Verifier:
    """Tells whether notes are signed by one key: its 32 public bytes."""

    public: bytes

    def key_id(self, name: str) -> bytes:
        """What names the key in the signatures of notes by `name`."""
        return sha256(name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def line(self, name: str) -> str:
        """The key as a line of text, as tools for signed notes take it: name, id, key."""
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{name}+{self.key_id(name).hex()}+{key}"

    @classmethod
    def of_line(cls, line: str, name: str) -> Self | None:
        """The reverse of `line`; None for anything that it cannot have written."""
        try:
            key = base64.b64decode(line.split("+", 2)[-1], validate=True)  # which may have a plus itself
        except (binascii.Error, ValueError):
            return None
        found = cls(key[1:])
        return found if len(found.public) == 32 and found.line(name) == line else None

    def signed_text(self, note: str, name: str) -> str | None:
        """The text of a note that this key signed under `name`; None for any other.

        Signatures of keys that are not known, a witness's perhaps, do not matter.
        """
        text, blank, signatures = note.rpartition("\n\n")
        text += "\n"
        ours = [found for line in signatures.splitlines() if (found := self._signature(line, name)) is not None]
        holds = blank and ours and all(self._holds(each, text) for each in ours)
        return text if holds else None

    def _signature(self, line: str, name: str) -> bytes | None:
        """The signature in a line, if it claims to be of this key."""
        begin = f"{DASH}{name} "
        if not line.startswith(begin):
            return None
        try:
            content = base64.b64decode(line.removeprefix(begin), validate=True)
        except (binascii.Error, ValueError):
            return None
        return content[_ID_BYTES:] if content[:_ID_BYTES] == self.key_id(name) else None

    def _holds(self, signature: bytes, text: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs notes with one private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = Verifier(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def open(cls, path: Path) -> Self:
        """The signer whose key is in the PEM file at `path`; a missing file is made. Raises KeyRefusedError."""
        content = read_or_create(path, _new_key)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyRefusedError(f"The key file {str(path)!r} is refused: it must hold an Ed25519 private key in PEM.")
        return cls(key)

    def note(self, name: str, text: str) -> str:
        """`text`, which ends with its line, signed by this key under `name`, which has no spaces and no plus."""
        signature = base64.b64encode(self.verifier.key_id(name) + self._key.sign(text.encode())).decode()
        return f"{text}\n{DASH}{name} {signature}\n"


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
