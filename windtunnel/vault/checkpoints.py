"""The files in which checkpoints of audit chains are kept: one per tenant, only ever appended to."""

import fcntl
import io
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from windtunnel.domain.chains import Break, Evidence
from windtunnel.domain.checkpoints import Checkpoint, checkpoint_of, claimed_size, origin_of
from windtunnel.vault.signing import DASH, Signer, Verifier

SUFFIX = ".checkpoints"
KEY_SUFFIX = ".pub"
_DASH = DASH.encode()


class CheckpointFiles:
    """Checkpoints in `directory`, signed with the key at `key_path`, which is made with the first one.

    Several processes may share a directory. Its public key lies beside the checkpoints, so that they can be checked
    elsewhere; where the private key is, that one decides who signed. Methods block; they raise OSError, and
    KeyRefusedError for a key that cannot be used.
    """

    def __init__(self, directory: Path, key_path: Path) -> None:
        self._directory = directory
        self._key_path = key_path
        self._signer: Signer | None = None

    def tenants(self) -> set[str]:
        """The ids of all tenants that have checkpoints here."""
        return {path.name.removesuffix(SUFFIX) for path in self._directory.glob(f"*{SUFFIX}")}

    def read(self, tenant_id: str) -> Evidence:
        """All checkpoints of a tenant. What a process that was killed has left unfinished does not count."""
        verifier = self._verifier(tenant_id)
        checkpoints: list[Checkpoint] = []
        refused: list[Break] = []
        for note in self._notes(tenant_id):
            checkpoint = _believed(note, tenant_id, verifier)
            if checkpoint:
                checkpoints.append(checkpoint)
            else:
                after = checkpoints[-1].size if checkpoints else 0
                claimed = claimed_size(note.decode(errors="replace"))
                reason = "has a checkpoint that is not signed by this server's key"
                refused.append(Break(after + 1 if claimed is None else max(claimed, 1), reason))
        return Evidence(tuple(checkpoints), tuple(refused))

    def last(self, tenant_id: str) -> Checkpoint | None:
        """The checkpoint of the longest chain that was seen."""
        return _last(self._notes(tenant_id), tenant_id, self._verifier(tenant_id))

    def append(self, tenant_id: str, checkpoints: Sequence[Checkpoint]) -> None:
        """Sign and add checkpoints; they are on the disk when this returns.

        What another process added meanwhile is not added again.
        """
        if self._signer is None:
            self._signer = Signer.open(self._key_path)
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._locked(tenant_id) as file:
            content = _read_all(file)
            notes, end = _split(content)
            verifier = self._signer.verifier
            last = _last(notes, tenant_id, verifier)
            fresh = [each for each in checkpoints if last is None or each.size > last.size]
            if not fresh:
                return
            if end < len(content):
                os.ftruncate(file, end)  # half a checkpoint, which nobody was told of
            os.lseek(file, 0, os.SEEK_END)
            name = origin_of(tenant_id)
            _write_all(file, "".join(self._signer.note(name, each.text) for each in fresh).encode())
            os.fsync(file)
        self._publish_key(tenant_id, verifier)

    def _path(self, tenant_id: str) -> Path:
        return self._directory / f"{tenant_id}{SUFFIX}"

    def _notes(self, tenant_id: str) -> list[bytes]:
        path = self._path(tenant_id)
        return _split(path.read_bytes())[0] if path.exists() else []

    def _verifier(self, tenant_id: str) -> Verifier | None:
        if self._key_path.exists():
            return Signer.open(self._key_path).verifier
        published = self._directory / f"{tenant_id}{KEY_SUFFIX}"
        return Verifier.of_line(published.read_text().strip(), origin_of(tenant_id)) if published.exists() else None

    def _publish_key(self, tenant_id: str, verifier: Verifier) -> None:
        published = self._directory / f"{tenant_id}{KEY_SUFFIX}"
        line = verifier.line(origin_of(tenant_id)) + "\n"
        if not published.exists() or published.read_text() != line:
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
