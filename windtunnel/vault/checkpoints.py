"""The files in which checkpoints of audit chains are kept: one per tenant, only ever appended to."""

import fcntl
import io
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from windtunnel.domain.chains import Break, Evidence
from windtunnel.domain.checkpoints import ROLL_ORIGIN, Checkpoint, Roll, checkpoint_of, claimed_size, origin_of
from windtunnel.vault.rolls import ROLL, CheckpointsRefusedError, read_roll, write_roll
from windtunnel.vault.signing import DASH, Signer, Verifier

SUFFIX = ".checkpoints"
KEY_SUFFIX = ".pub"
_DASH = DASH.encode()
_GONE = "the file of its checkpoints is gone or empty"


class CheckpointFiles:
    """Checkpoints in `directory`, signed with the key at `key_path`, which is made with the first one.

    Several processes may share a directory. Its public key lies beside the checkpoints, so that they can be checked
    elsewhere; where the private key is, that one decides who signed. Of whom there are checkpoints shows by their
    file, by the public key beside it and by the roll: whoever takes one away leaves the others. Methods block; they
    raise OSError, KeyRefusedError for a key that cannot be used, and CheckpointsRefusedError.
    """

    def __init__(self, directory: Path, key_path: Path) -> None:
        self._directory = directory
        self._key_path = key_path
        self._signer: Signer | None = None

    def tenants(self) -> set[str]:
        """The ids of all tenants that have, or had, checkpoints here."""
        found = {path.stem for suffix in (SUFFIX, KEY_SUFFIX) for path in self._directory.glob(f"*{suffix}")} - {ROLL}
        try:
            roll = self._roll()
        except CheckpointsRefusedError:  # what reading any tenant's checkpoints tells
            return found
        return found | roll.tenants if roll else found

    def read(self, tenant_id: str) -> Evidence:
        """All checkpoints of a tenant. What a process that was killed has left unfinished does not count."""
        verifier = self._verifier(tenant_id)
        checkpoints: list[Checkpoint] = []
        refused: list[Break] = []
        notes, rest = self._notes(tenant_id)
        for note in notes:
            checkpoint = _believed(note, tenant_id, verifier)
            if checkpoint:
                checkpoints.append(checkpoint)
            else:
                after = checkpoints[-1].size if checkpoints else 0
                claimed = claimed_size(note.decode(errors="replace"))
                reason = "has a checkpoint that is not signed by this server's key"
                refused.append(Break(after + 1 if claimed is None else max(claimed, 1), reason))
        if not _is_half_a_note(rest, tenant_id):
            after = checkpoints[-1].size if checkpoints else 0
            refused.append(Break(after + 1, "has a checkpoint that cannot be read"))
        roll = None
        try:
            roll = self._roll()
            if not notes and not refused and self._is_known(tenant_id, roll):
                refused.append(Break(1, f"had a checkpoint once, as had later ones: {_GONE}"))
        except CheckpointsRefusedError as error:
            refused.append(Break(1, f"may lack checkpoints: {error}"))
        kept = self._directory.is_dir() or self._key_path.exists()
        return Evidence(tuple(checkpoints), tuple(refused), kept, roll.at_ms if roll else None)

    def last(self, tenant_id: str) -> Checkpoint | None:
        """The checkpoint of the longest chain that was seen."""
        notes, rest = self._notes(tenant_id)
        self._check_nothing_is_lost(tenant_id, notes, rest)
        return _last(notes, tenant_id, self._verifier(tenant_id))

    def enrol(self, tenant_ids: Iterable[str], at_ms: int = 0) -> None:
        """Note that these tenants have checkpoints, and that all there are have seen everything until `at_ms`."""
        self._directory.mkdir(parents=True, exist_ok=True)
        signer = self._opened_signer()
        self._publish_key(ROLL, ROLL_ORIGIN, signer.verifier)
        write_roll(self._directory, signer, Roll(at_ms, frozenset(tenant_ids)))

    def append(self, tenant_id: str, checkpoints: Sequence[Checkpoint]) -> None:
        """Sign and add checkpoints; they are on the disk when this returns.

        What another process added meanwhile is not added again.
        """
        signer = self._opened_signer()
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._locked(tenant_id) as file:
            content = _read_all(file)
            notes, end = _split(content)
            verifier = signer.verifier
            self._check_nothing_is_lost(tenant_id, notes, content[end:])
            last = _last(notes, tenant_id, verifier)
            fresh = [each for each in checkpoints if last is None or each.size > last.size]
            if not fresh:
                return
            if end < len(content):
                os.ftruncate(file, end)  # half a checkpoint, which nobody was told of
            os.lseek(file, 0, os.SEEK_END)
            name = origin_of(tenant_id)
            _write_all(file, "".join(signer.note(name, each.text) for each in fresh).encode())
            os.fsync(file)
        self._publish_key(tenant_id, name, verifier)

    def _opened_signer(self) -> Signer:
        if self._signer is None:
            self._signer = Signer.open(self._key_path)
        return self._signer

    def _check_nothing_is_lost(self, tenant_id: str, notes: Sequence[bytes], rest: bytes) -> None:
        if not _is_half_a_note(rest, tenant_id):
            raise CheckpointsRefusedError(f"{self._path(tenant_id).name} ends with what is no checkpoint")
        if not notes and self._is_known(tenant_id, self._roll()):
            raise CheckpointsRefusedError(_GONE)

    def _is_known(self, tenant_id: str, roll: Roll | None) -> bool:
        """Whether there must be checkpoints of the tenant."""
        listed = roll is not None and tenant_id in roll.tenants
        return listed or (self._directory / f"{tenant_id}{KEY_SUFFIX}").exists()

    def _roll(self) -> Roll | None:
        return read_roll(self._directory, self._verifier(ROLL, ROLL_ORIGIN))

    def _path(self, tenant_id: str) -> Path:
        return self._directory / f"{tenant_id}{SUFFIX}"

    def _notes(self, tenant_id: str) -> tuple[list[bytes], bytes]:
        """The notes in a tenant's file, and what comes after them."""
        path = self._path(tenant_id)
        content = path.read_bytes() if path.exists() else b""
        notes, end = _split(content)
        return notes, content[end:]

    def _verifier(self, stem: str, name: str | None = None) -> Verifier | None:
        """By the key that signs here, else by the one that lies beside the file of this stem."""
        if self._key_path.exists():
            return Signer.open(self._key_path).verifier
        published = self._directory / f"{stem}{KEY_SUFFIX}"
        if not published.exists():
            return None
        return Verifier.of_line(published.read_text(errors="replace").strip(), name or origin_of(stem))

    def _publish_key(self, stem: str, name: str, verifier: Verifier) -> None:
        published = self._directory / f"{stem}{KEY_SUFFIX}"
        line = verifier.line(name) + "\n"
        if not published.exists() or published.read_text(errors="replace") != line:
            draft = published.with_name(f".{published.name}.{secrets.token_hex(8)}")
            draft.write_text(line)
            draft.replace(published)

    @contextmanager
    def _locked(self, tenant_id: str) -> Iterator[int]:
        path = self._path(tenant_id)
        made = not path.exists()
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)
        if made:
            _sync_directory(self._directory)


def _split(content: bytes) -> tuple[list[bytes], int]:
    """The notes in a file, and where the last finished one ends."""
    notes: list[bytes] = []
    begin = end = 0
    place = 0
    signed = False
    for line in io.BytesIO(content):
        is_signature = line.startswith(_DASH)
        if signed and not is_signature:
            notes.append(content[begin:end])
            begin, signed = place, False
        place += len(line)
        if is_signature and line.endswith(b"\n"):
            end, signed = place, True
    if signed:
        notes.append(content[begin:end])
    return notes, end


def _is_half_a_note(rest: bytes, tenant_id: str) -> bool:
    """Whether a process that was killed, or a power cut, can have left this at the end of a file."""
    begin, rest = f"{origin_of(tenant_id)}\n".encode(), rest.rstrip(b"\0")
    return begin.startswith(rest) or rest.startswith(begin)


def _last(notes: Sequence[bytes], tenant_id: str, verifier: Verifier | None) -> Checkpoint | None:
    """The last one that can be believed; sizes only grow."""
    return next(filter(None, (_believed(note, tenant_id, verifier) for note in reversed(notes))), None)


def _believed(note: bytes, tenant_id: str, verifier: Verifier | None) -> Checkpoint | None:
    if verifier is None:
        return None
    try:
        text = verifier.signed_text(note.decode(), origin_of(tenant_id))
    except UnicodeDecodeError:
        return None
    checkpoint = checkpoint_of(text) if text else None
    return checkpoint if checkpoint and checkpoint.tenant_id == tenant_id else None


def _read_all(file: int) -> bytes:
    return b"".join(iter(lambda: os.read(file, 1 << 20), b""))


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
