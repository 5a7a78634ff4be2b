"""The roll: one signed note beside the checkpoint files which says whose they are: none goes missing unseen."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windtunnel.domain.checkpoints import ROLL_ORIGIN, Roll, roll_of
from windtunnel.vault.signing import Signer, Verifier

ROLL = "roll"
_NOTE = f"{ROLL}.note"


class CheckpointsRefusedError(Exception):
    """Checkpoints that were written are gone or cannot be believed: going on would hide that."""


def read_roll(directory: Path, verifier: Verifier | None) -> Roll | None:
    """The roll of a directory, None when there is none. Raises OSError, CheckpointsRefusedError."""
    try:
        note = (directory / _NOTE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        text = verifier.signed_text(note.decode(), ROLL_ORIGIN) if verifier else None
    except UnicodeDecodeError:
        text = None
    roll = roll_of(text) if text else None
    if roll is None:
        raise CheckpointsRefusedError("the list of all checkpoints is not signed by this server's key")
    return roll


def write_roll(directory: Path, signer: Signer, roll: Roll) -> None:
    """Add to the roll; it is on the disk when this returns, as a whole. Raises OSError, CheckpointsRefusedError."""
    with _locked(directory) as descriptor:
        known = read_roll(directory, signer.verifier) or Roll(0, frozenset())
        fresh = Roll(max(known.at_ms, roll.at_ms), known.tenants | roll.tenants)
        if fresh == known and (directory / _NOTE).exists():
            return
        draft = directory / f".{_NOTE}"
        with draft.open("w") as file:
            file.write(signer.note(ROLL_ORIGIN, fresh.text))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(directory / _NOTE)
        os.fsync(descriptor)


@contextmanager
def _locked(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
