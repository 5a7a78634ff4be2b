"""Blobs: kept by what they are, once, for good, or not at all."""

import asyncio
import os
import random
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from windtunnel.packages.blobs import BlobCorruptError, BlobMissingError, BlobStore, BlobTooLargeError
from windtunnel.packages.directory import WRITTEN_AT_ONCE, DirectoryBlobs

MIB = 1024 * 1024
LIMIT = 4 * MIB


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "packages"


@pytest.fixture
def blobs(root: Path) -> BlobStore:
    return DirectoryBlobs(root)


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def digest_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def modes_of_directories(root: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")] if path.is_dir()}


async def content(blobs: BlobStore, digest: str) -> bytes:
    with await blobs.open(digest) as file:
        return file.read()


@pytest.mark.parametrize("size", [0, 1, WRITTEN_AT_ONCE, WRITTEN_AT_ONCE + 1, LIMIT])
async def test_what_is_put_is_read_again(blobs: BlobStore, root: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    blob = await blobs.put(pieces(data), most=LIMIT)
    assert (blob.digest, blob.size_bytes) == (digest_of(data), size)
    assert await content(blobs, blob.digest) == data
    path = await blobs.path(blob.digest)
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert modes_of_directories(root) == {0o700}
    assert files(root) == [f"sha256/{blob.digest[:2]}/{blob.digest}"]
    assert await blobs.exists(blob.digest)


async def test_the_same_bytes_are_one_blob(blobs: BlobStore, root: Path) -> None:
    put = [blobs.put(pieces(b"x" * 300_000, size), most=LIMIT) for size in (1_000, 7_777, 300_000)]
    first, *others = await asyncio.gather(*put)
    assert {each.digest for each in others} == {first.digest}
    assert len(files(root)) == 1


async def test_more_than_allowed_is_not_kept(blobs: BlobStore, root: Path) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 50_000
            yield bytes(50_000)

    with pytest.raises(BlobTooLargeError):
        await blobs.put(endless(), most=LIMIT)
    assert read <= LIMIT + 50_000
    assert files(root) == []


async def test_memory_does_not_grow_with_a_blob(blobs: BlobStore) -> None:
    piece = bytes(64 * 1024)

    async def many() -> AsyncIterator[bytes]:
        for _ in range(512):
            yield piece

    tracemalloc.start()
    await blobs.put(many(), most=64 * MIB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB


async def test_a_draft_is_found_by_nobody_and_gone_unless_it_is_kept(blobs: BlobStore, root: Path) -> None:
    data = b"x" * 300_000
    async with blobs.drafted(pieces(data), most=LIMIT) as draft:
        assert (draft.blob.digest, draft.blob.size_bytes) == (digest_of(data), len(data))
        assert not await blobs.exists(draft.blob.digest)
        with await draft.open() as file:
            assert file.read() == data
    assert files(root) == []
    other = await blobs.put(pieces(data), most=LIMIT)
    async with blobs.drafted(pieces(data), most=LIMIT):
        pass
    assert await content(blobs, other.digest) == data, "one that is refused takes nothing from others"


async def test_what_breaks_off_leaves_nothing(blobs: BlobStore, root: Path) -> None:
    class BrokenOffError(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(WRITTEN_AT_ONCE)
        raise BrokenOffError

    with pytest.raises(BrokenOffError):
        await blobs.put(broken(), most=LIMIT)
    assert files(root) == []

    begun = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield bytes(WRITTEN_AT_ONCE)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(blobs.put(stalled(), most=LIMIT))
    await begun.wait()
    assert len(files(root)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(root) == []


async def test_cancelled_at_any_moment_it_is_kept_whole_or_not_at_all(blobs: BlobStore, root: Path) -> None:
    data = bytes(WRITTEN_AT_ONCE * 2 + 1)
    for turns in range(40):
        task = asyncio.create_task(blobs.put(pieces(data, WRITTEN_AT_ONCE), most=LIMIT))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await blobs.sweep(0.0)
        assert files(root) in ([], [f"sha256/{digest_of(data)[:2]}/{digest_of(data)}"])
        if await blobs.exists(digest_of(data)):
            assert await content(blobs, digest_of(data)) == data


async def test_what_was_never_put_is_missing(blobs: BlobStore) -> None:
    for digest in ("0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "\n"):
        with pytest.raises(BlobMissingError):
            await blobs.open(digest)
        with pytest.raises(BlobMissingError):
            await blobs.path(digest)
        assert not await blobs.exists(digest)
        assert not await blobs.delete(digest)


@pytest.mark.parametrize("spoiled", [b"other", b"", b"packagE"])
async def test_a_blob_that_was_changed_is_noticed_and_healed_by_the_right_bytes(
    blobs: BlobStore, spoiled: bytes
) -> None:
    blob = await blobs.put(pieces(b"package"), most=LIMIT)
    path = await blobs.path(blob.digest)
    path.chmod(0o644)
    path.write_bytes(spoiled)
    for use in (blobs.open, blobs.path):
        with pytest.raises(BlobCorruptError):
            await use(blob.digest)
    assert await blobs.exists(blob.digest)
    assert await blobs.put(pieces(b"package"), most=LIMIT) == blob
    assert await content(blobs, blob.digest) == b"package"


async def test_who_reads_goes_on_reading(blobs: BlobStore) -> None:
    blob = await blobs.put(pieces(b"package"), most=LIMIT)
    with await blobs.open(blob.digest) as file:
        assert await blobs.delete(blob.digest)
        assert not await blobs.exists(blob.digest)
        assert file.read() == b"package"


async def test_leftovers_are_swept_when_they_are_old(blobs: BlobStore, root: Path) -> None:
    assert await blobs.sweep(0.0) == 0
    assert await blobs.untouched(0.0) == []
    blob = await blobs.put(pieces(b"package"), most=LIMIT)
    young, old = root / "drafts" / "young", root / "drafts" / "old"
    for path in (young, old):
        path.write_bytes(b"half a pack")
    os.utime(old, (1, 1))
    assert await blobs.sweep(3_600.0) == 1
    assert (young.exists(), old.exists()) == (True, False)
    assert await blobs.untouched(3_600.0) == []
    os.utime(await blobs.path(blob.digest), (1, 1))
    assert await blobs.untouched(3_600.0) == [blob.digest]
    await blobs.put(pieces(b"package"), most=LIMIT)
    assert await blobs.untouched(3_600.0) == []
    assert not await blobs.delete(blob.digest, older_than_s=3_600.0)
    assert await content(blobs, blob.digest) == b"package"


async def test_what_is_put_while_it_is_deleted_stays(
    blobs: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = await blobs.put(pieces(b"package"), most=LIMIT)
    path = await blobs.path(blob.digest)
    os.utime(path, (1, 1))
    rename = Path.rename

    def put_again_before(self: Path, target: Path) -> Path:
        monkeypatch.undo()
        os.utime(path)  # as the rename of a fresh draft does
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", put_again_before)
    assert not await blobs.delete(blob.digest, older_than_s=3_600.0)
    assert await content(blobs, blob.digest) == b"package"
    assert files(root) == [f"sha256/{blob.digest[:2]}/{blob.digest}"]


async def test_a_disk_that_takes_nothing_is_told() -> None:
    with pytest.raises(OSError, match=r"Not a directory"):
        await DirectoryBlobs(Path("/dev/null/packages")).put(pieces(b"package"), most=LIMIT)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.packages.drafts import DraftFile

step = sys.argv[2]

def modes_of_directories(root: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")] if path.is_dir()}


async def content():
    yield b"x" * 300_000
    if step == "reading":
        os.kill(os.getpid(), 9)
    yield b"y"

if step == "renaming":
    Path.replace = lambda *_: os.kill(os.getpid(), 9)
if step == "syncing":
    os.fsync = lambda *_: os.kill(os.getpid(), 9)
if step == "discarding":
    DraftFile.discard = lambda *_: os.kill(os.getpid(), 9)
asyncio.run(DirectoryBlobs(Path(sys.argv[1])).put(content(), most=10**9))
"""


@pytest.mark.parametrize("step", ["reading", "syncing", "renaming", "discarding"])
async def test_killed_at_any_step_it_leaves_a_draft_or_the_whole(blobs: BlobStore, root: Path, step: str) -> None:
    source = str(Path(__file__).parents[2])
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(root), step], cwd=source, check=False, timeout=60
    )
    assert killed.returncode == -9
    whole = digest_of(b"x" * 300_000 + b"y")
    await blobs.sweep(0.0)
    if step == "discarding":
        assert files(root) == [f"sha256/{whole[:2]}/{whole}"]
        assert len(await content(blobs, whole)) == 300_001
    else:
        assert files(root) == []
