"""Checkpoints: how long the audit chain of a tenant was, and its last hash, to be kept outside of the database."""

import base64
import binascii
import re
from dataclasses import dataclass

ORIGIN = "windtunnel/audit/"
ROLL_ORIGIN = "windtunnel/audit"
"""What names the roll, and the key in its signature."""

_TEXT = re.compile(rf"{ORIGIN}(?P<tenant>[0-9A-Za-z_-]+)\n(?P<size>0|[1-9][0-9]{{0,18}})\n(?P<hash>[0-9A-Za-z+/=]+)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain of a tenant had `size` entries; `hash` is that of the last one, in hex."""

    tenant_id: str
    size: int
    hash: str

    @property
    def text(self) -> str:
        """The note text of C2SP tlog-checkpoint: origin, size, hash in base64, a line each.

        The hash is the head of a chain, not the root of a Merkle tree.
        """
        return f"{origin_of(self.tenant_id)}\n{self.size}\n{base64.b64encode(bytes.fromhex(self.hash)).decode()}\n"


@dataclass(frozen=True, slots=True)
class Roll:
    """These tenants have checkpoints, and those had seen everything that was recorded until `at_ms`."""

    at_ms: int
    tenants: frozenset[str]

    @property
    def text(self) -> str:
        """Origin, time, and the tenants, a line each."""
        return "\n".join((ROLL_ORIGIN, str(self.at_ms), *sorted(self.tenants), ""))


def roll_of(text: str) -> Roll | None:
    """The reverse of `text`; None for anything that it cannot have written."""
    lines = text.split("\n")
    known = len(lines) > 2 and lines[1].isascii() and lines[1].isdecimal() and len(lines[1]) < 19
    roll = Roll(int(lines[1]), frozenset(lines[2:-1])) if known else None
    return roll if roll and roll.text == text else None


def origin_of(tenant_id: str) -> str:
    """What names the chain of a tenant, and the key in the signatures of its checkpoints."""
    return f"{ORIGIN}{tenant_id}"


def checkpoint_of(text: str) -> Checkpoint | None:
    """The reverse of `text`; None for anything that it cannot have written."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    try:
        digest = base64.b64decode(found["hash"], validate=True)
    except binascii.Error:
        return None
    checkpoint = Checkpoint(found["tenant"], int(found["size"]), digest.hex())
    return checkpoint if len(digest) == 32 and checkpoint.text == text else None


def claimed_size(text: str) -> int | None:
    """How many entries a note claims that the chain had, whether or not it can be believed."""
    lines = text.split("\n")
    known = len(lines) > 1 and lines[1].isascii() and lines[1].isdecimal() and len(lines[1]) < 19
    return int(lines[1]) if known else None
