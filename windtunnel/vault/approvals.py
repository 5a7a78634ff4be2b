"""Signed approvals: DSSE envelopes (Ed25519) around their statements, by a key that only workers have."""

import base64
import binascii
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from windtunnel.domain.approvals import Approval, approval_of
from windtunnel.vault.key_files import KeyRefusedError, read_or_create

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class ApprovalRefusedError(Exception):
    """It is no approval that was signed here; the message is one sentence."""


class ApprovalKeys:
    """Signs approvals with the first of `keys`, and believes what any of them has signed: they can be rotated."""

    def __init__(self, *keys: Ed25519PrivateKey) -> None:
        if not keys:
            raise KeyRefusedError("Signing approvals takes a key.")
        self._key, self._key_id = keys[0], _id_of(keys[0].public_key())
        self._known = {_id_of(key.public_key()): key.public_key() for key in keys}

    @classmethod
    def open(cls, path: Path) -> "ApprovalKeys":
        """Those in the PEM file at `path`, one after the other, the newest first; a missing file is made.

        Raises KeyRefusedError.
        """
        content = read_or_create(path, _new_key)
        try:
            keys = [load_pem_private_key(each, password=None) for each in _apart(content)]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            keys = []
        found = [key for key in keys if isinstance(key, Ed25519PrivateKey)]
        if not found or len(found) < len(keys):
            raise KeyRefusedError(f"The key file {str(path)!r} is refused: it must hold Ed25519 private keys in PEM.")
        return cls(*found)

    @classmethod
    def generate(cls) -> "ApprovalKeys":
        """A key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    def sign_approval(self, approval: Approval) -> str:
        """The envelope around the approval's statement, as JSON."""
        statement = approval.statement
        signature = {"keyid": self._key_id, "sig": base64.b64encode(self._key.sign(_encoded(statement))).decode()}
        envelope = {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(statement).decode(),
            "signatures": [signature],
        }
        return orjson.dumps(envelope).decode()

    def verify_approval(self, envelope: str) -> Approval:
        """The approval in an envelope that one of the keys has signed. Raises ApprovalRefusedError."""
        try:
            told = orjson.loads(envelope)
            statement = base64.b64decode(told["payload"], validate=True)
            signatures = [(each["keyid"], base64.b64decode(each["sig"], validate=True)) for each in told["signatures"]]
            ours = told["payloadType"] == PAYLOAD_TYPE
        except (ValueError, TypeError, KeyError, binascii.Error):
            raise ApprovalRefusedError("The approval cannot be read.") from None
        if not ours or not any(self._holds(key_id, signature, statement) for key_id, signature in signatures):
            raise ApprovalRefusedError("The approval is not signed by a worker of this installation.")
        approval = approval_of(statement)
        if approval is None:
            raise ApprovalRefusedError("What was signed is no approval.")
        return approval

    def _holds(self, key_id: object, signature: bytes, statement: bytes) -> bool:
        key = self._known.get(key_id) if isinstance(key_id, str) else None
        if key is None:
            return False
        try:
            key.verify(signature, _encoded(statement))
        except InvalidSignature:
            return False
        return True


def _encoded(statement: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE, version 1."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(statement), statement)


def _id_of(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def _apart(content: bytes) -> list[bytes]:
    end = b"-----END PRIVATE KEY-----"
    return [each + end for each in content.split(end)[:-1]] or [content]


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
