"""A directory of blobs: drafts become blobs by a rename, so that a crash leaves drafts and nothing else."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from windtunnel.domain.packages import is_digest
from windtunnel.packages.blobs import Blob, BlobCorruptError, BlobMissingError, BlobTooLargeError, Draft
from windtunnel.packages.drafts import DraftFile

P = ParamSpec("P")
R = TypeVar("R")

WRITTEN_AT_ONCE = 256 * 1024
"""What is gathered before a thread is bothered with it: the memory that an upload takes."""
_READ_AT_ONCE = 1024 * 1024


class DirectoryBlobs:
    """Blobs in `root/sha256/ab/DIGEST`, read-only, and drafts in `root/drafts`. Made when first needed.

    Several processes and hosts may share it, if their file system renames at once and syncs when told.
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / "sha256"
        self._drafts = root / "drafts"

    async def put(self, content: AsyncIterable[bytes], *, most: int) -> Blob:
        """As BlobStore has it."""
        async with self.drafted(content, most=most) as draft:
            await draft.keep()
        return draft.blob

    @asynccontextmanager
    async def drafted(self, content: AsyncIterable[bytes], *, most: int) -> AsyncIterator[Draft]:
        """As BlobStore has it; each upload has a thread of its own, so that its steps keep their order."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="blob")
        file = DraftFile()
        try:
            await _in(thread, file.begin, self._drafts)
            waiting = bytearray()
            async for piece in content:
                waiting += piece
                if file.size + len(waiting) > most:
                    raise BlobTooLargeError
                if len(waiting) >= WRITTEN_AT_ONCE:
                    await _in(thread, file.write, bytes(waiting))
                    waiting.clear()
            await _in(thread, file.write, bytes(waiting))
            yield _Drafted(await _in(thread, file.finish), file, thread, self._place)
        finally:
            # The thread does this last, whatever it is still doing for a task that was cancelled.
            discarded = thread.submit(file.discard)
            thread.shutdown(wait=False)
            await asyncio.shield(asyncio.wrap_future(discarded))

    async def open(self, digest: str) -> BinaryIO:
        """As BlobStore has it."""
        return await asyncio.to_thread(self._open, digest)

    async def path(self, digest: str) -> Path:
        """As BlobStore has it."""
        (await self.open(digest)).close()
        return self._place(digest)

    async def exists(self, digest: str) -> bool:
        """As BlobStore has it."""
        return is_digest(digest) and await asyncio.to_thread(self._place(digest).is_file)

    async def delete(self, digest: str, *, older_than_s: float = 0.0) -> bool:
        """As BlobStore has it."""
        return is_digest(digest) and await asyncio.to_thread(self._delete, digest, older_than_s)

    async def sweep(self, older_than_s: float) -> int:
        """As BlobStore has it."""
        return await asyncio.to_thread(lambda: sum(_removed(path, older_than_s) for path in _files_in(self._drafts)))

    async def untouched(self, older_than_s: float) -> list[str]:
        """As BlobStore has it."""
        return await asyncio.to_thread(
            lambda: sorted(path.name for path in _files_in(self._blobs) if _is_older(path, older_than_s))
        )

    def _place(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest

    def _delete(self, digest: str, older_than_s: float) -> bool:
        """Take the blob aside before its age is believed: one that is put at this very moment comes back."""
        place, aside = self._place(digest), self._drafts / secrets.token_hex(16)
        if not _is_older(place, older_than_s):
            return False
        try:
            place.rename(aside)
        except FileNotFoundError:
            return False
        if _removed(aside, older_than_s):
            return True
        aside.rename(place)
        return False

    def _open(self, digest: str) -> BinaryIO:
        if not is_digest(digest):
            raise BlobMissingError(digest)
        try:
            file = self._place(digest).open("rb")
        except FileNotFoundError:
            raise BlobMissingError(digest) from None
        try:
            _verify(file, digest)
        except BaseException:
            file.close()
            raise
        return file


class _Drafted:
    """The draft of one upload, for as long as that goes on."""

    def __init__(self, blob: Blob, file: DraftFile, thread: ThreadPoolExecutor, place: Callable[[str], Path]) -> None:
        self.blob = blob
        self._file = file
        self._thread = thread
        self._place = place

    async def open(self) -> BinaryIO:
        """As Draft has it."""
        return await _in(self._thread, self._file.open)

    async def keep(self) -> None:
        """As Draft has it."""
        await _in(self._thread, self._file.keep, self._place)


async def _in(thread: ThreadPoolExecutor, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.get_running_loop().run_in_executor(thread, partial(step, *args, **kwargs))


def _verify(file: BinaryIO, digest: str) -> None:
    """Read all of the file and go back to its beginning. Raises BlobCorruptError."""
    found = sha256()
    while piece := file.read(_READ_AT_ONCE):
        found.update(piece)
    if found.hexdigest() != digest:
        raise BlobCorruptError(digest)
    file.seek(0)


def _files_in(directory: Path) -> Iterator[Path]:
    for root, _, names in os.walk(directory):
        yield from (Path(root) / name for name in names)


def _is_older(path: Path, older_than_s: float) -> bool:
    """Whether the file was last written to so long ago, by the clock of this machine; False when there is none."""
    try:
        return path.stat().st_mtime <= time.time() - older_than_s
    except FileNotFoundError:
        return False


def _removed(path: Path, older_than_s: float) -> bool:
    if not _is_older(path, older_than_s):
        return False
    path.unlink(missing_ok=True)
    return True
