"""Sealing secrets, and comparing them: what the database keeps is of no use without a key that it does not have."""

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from windtunnel.vault.key_files import KeyRefusedError, read_or_create

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"


class UnsealError(Exception):
    """A sealed text cannot be opened: its key is not here, it was changed, or it was moved from another row."""


class Vault:
    """Seals with the first of `keys` and unseals with any of them, so that keys can be rotated.

    Each key has 32 bytes. The cipher is AES-256-GCM with a random nonce.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise KeyRefusedError(f"A key for secrets has {KEY_BYTES} bytes.")
        self._ciphers = {_id_of(key): AESGCM(key) for key in reversed(keys)}
        self._markers = {_id_of(key): _marker_of(key) for key in reversed(keys)}
        self._newest = _id_of(keys[0])

    @classmethod
    def open(cls, path: Path) -> Self:
        """The vault whose keys are in the file at `path`, in base64, one a line, the newest first.

        A missing file is made, with one random key. Raises KeyRefusedError.
        """
        content = read_or_create(path, lambda: base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        try:
            return cls.of_text(content.decode("ascii").split())
        except (UnicodeDecodeError, KeyRefusedError):
            raise KeyRefusedError(
                f"The key file {str(path)!r} is refused: it must hold {KEY_BYTES} bytes in base64 on each line."
            ) from None

    @classmethod
    def of_text(cls, keys: Sequence[str]) -> Self:
        """The vault of these keys in base64, the newest first. Raises KeyRefusedError."""
        try:
            return cls([base64.b64decode(key, validate=True) for key in keys])
        except (binascii.Error, ValueError):
            raise KeyRefusedError(f"A key for secrets is {KEY_BYTES} bytes in base64.") from None

    def seal(self, plain: str, about: Sequence[str]) -> str:
        """`plain` as text that only this vault can read; `about` says where it belongs, e.g. table, tenant and row.

        The same `about` must be given to unseal it: the text is worth nothing in another place.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self._newest].encrypt(nonce, plain.encode(), _bound(self._newest, about))
        return f"{_VERSION}.{self._newest}.{base64.urlsafe_b64encode(sealed).decode()}"

    def unseal(self, sealed: str, about: Sequence[str]) -> str:
        """The reverse of `seal`. Raises UnsealError."""
        version, _, rest = sealed.partition(".")
        key_id, _, encoded = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise UnsealError("A secret was sealed with a key that is not here.")
        try:
            content = base64.urlsafe_b64decode(encoded)
            nonce, hidden = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
            return cipher.decrypt(nonce, hidden, _bound(key_id, about)).decode()
        except (InvalidTag, ValueError):  # binascii.Error is a ValueError
            raise UnsealError("A sealed secret was changed, or belongs somewhere else.") from None

    def fingerprint(self, plain: str, about: Sequence[str]) -> str:
        """A text by which `plain` can be compared with what is kept in the same place, and by nobody be guessed.

        Equal texts about the same have equal fingerprints, until the keys are rotated.
        """
        return self._mark(self._newest, plain, about)

    def is_fingerprint_of(self, fingerprint: str, plain: str, about: Sequence[str]) -> bool:
        """Whether `fingerprint` was made of this text with any of the keys that are here."""
        key_id = fingerprint.partition(".")[2].partition(".")[0]
        return key_id in self._markers and hmac.compare_digest(
            self._mark(key_id, plain, about).encode(), fingerprint.encode()
        )

    def _mark(self, key_id: str, plain: str, about: Sequence[str]) -> str:
        # The place has a digest of fixed length, so that nothing of it can be taken for the text.
        marked = sha256(_bound(key_id, about)).digest() + plain.encode()
        return f"{_VERSION}.{key_id}.{hmac.digest(self._markers[key_id], marked, sha256).hex()}"


def _id_of(key: bytes) -> str:
    return sha256(b"windtunnel: id of a key for secrets\0" + key).hexdigest()[:16]


def _marker_of(key: bytes) -> bytes:
    """The key for fingerprints: another one than that for sealing."""
    return hmac.digest(key, b"windtunnel: fingerprints of secrets", sha256)


def _bound(key_id: str, about: Sequence[str]) -> bytes:
    return json.dumps([_VERSION, key_id, *about]).encode()
