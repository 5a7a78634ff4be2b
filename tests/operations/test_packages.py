"""Uploading, finding, signing and sweeping packages."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.operations.world import process
from tests.packages.test_signatures import envelope, statement
from tests.packages.world import package, raw
from tests.storage.worlds import colleague, demo, stranger
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    QuotaError,
    UnavailableError,
    ValidationError,
)
from windtunnel.domain.packages import StoredPackage
from windtunnel.domain.policy import PACKAGE_MAX_BYTES
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations import upload_package as uploading
from windtunnel.operations.find_package import find_package
from windtunnel.operations.services import Services
from windtunnel.operations.sign_package import sign_package
from windtunnel.operations.sweep_packages import sweep_packages
from windtunnel.operations.upload_package import upload_package
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.storage import audit, packages

PACKAGE = package()
DIGEST = sha256(PACKAGE).hexdigest()


async def body(data: bytes = PACKAGE, size: int = 500) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def untouched() -> AsyncIterator[bytes]:
    raise AssertionError("nothing of the body was to be read")
    yield b""


async def log(services: Services, viewer: Viewer) -> Sequence[AuditEntry]:
    return await audit.read(services.store, viewer.tenant_id, 0, 100)


def blobs_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "packages"


async def test_a_package_is_kept_and_on_record_once(database_url: str) -> None:
    async with process(database_url) as services:
        you = await demo(services.store)
        first = await upload_package(services, you, body())
        assert (first.digest, first.size_bytes) == (DIGEST, len(PACKAGE))
        assert (first.name, first.version, first.uploaded_by) == ("acme/triage", "1.0.0", you.user.id)
        bo = await colleague(services.store, you)
        assert await upload_package(services, bo, body(size=7)) == first
        with await services.blobs.open(DIGEST) as file:
            assert file.read() == PACKAGE
        (entry,) = await log(services, you)
        assert (entry.action, entry.subject) == (AuditAction.PACKAGE_UPLOADED, Subject(Kind.PACKAGE, DIGEST))
        assert entry.details == f'{{"name":"acme/triage","sizeBytes":{len(PACKAGE)},"version":"1.0.0"}}'
        assert await find_package(services, bo, DIGEST) == first


async def test_a_blob_belongs_to_those_who_sent_it(database_url: str) -> None:
    async with process(database_url) as services:
        you, eve = await demo(services.store), await stranger(services.store)
        await upload_package(services, you, body())
        told = []
        for digest in (DIGEST, "0" * 64, "", "x" * 500, "\0"):
            with pytest.raises(NotFoundError) as refused:
                await find_package(services, eve, digest)
            told.append((refused.value.message, refused.value.path))
            with pytest.raises(NotFoundError) as refused:
                await sign_package(services, eve, digest, envelope())
            assert refused.value.message == told[0][0]
        assert len(set(told)) == 1
        theirs = await upload_package(services, eve, body())
        assert (theirs.digest, theirs.tenant_id, theirs.uploaded_by) == (DIGEST, eve.tenant_id, eve.user.id)
        assert [entry.action for entry in await log(services, eve)] == [AuditAction.PACKAGE_UPLOADED]


async def test_only_developers_and_administrators_upload_and_sign(database_url: str) -> None:
    async with process(database_url) as services:
        you = await demo(services.store)
        for role in set(Role) - {Role.DEVELOPER, Role.ADMIN}:
            somebody = replace(you, roles=frozenset({role}))
            with pytest.raises(ForbiddenError):
                await upload_package(services, somebody, untouched())
            with pytest.raises(ForbiddenError):
                await sign_package(services, somebody, DIGEST, envelope())
        entries = await log(services, you)
        assert {entry.action for entry in entries} == {AuditAction.ACCESS_DENIED}
        assert len(entries) == 6
        for role in (Role.DEVELOPER, Role.ADMIN):
            await upload_package(services, replace(you, roles=frozenset({role})), body())


async def test_what_is_too_large_is_refused_and_not_kept(
    sqlite_url: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(sqlite_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(root))
        you = await demo(services.store)
        with pytest.raises(ValidationError) as refused:
            await upload_package(services, you, untouched(), declared_bytes=PACKAGE_MAX_BYTES + 1)
        assert refused.value.code is ErrorCode.LIMIT_EXCEEDED
        monkeypatch.setattr(uploading, "PACKAGE_MAX_BYTES", len(PACKAGE) - 1)
        with pytest.raises(ValidationError) as refused:
            await upload_package(services, you, body(), declared_bytes=5)
        assert refused.value.code is ErrorCode.LIMIT_EXCEEDED
        monkeypatch.setattr(uploading, "PACKAGE_MAX_BYTES", len(PACKAGE))
        with pytest.raises(ValidationError, match="is empty"):
            await upload_package(services, you, body(b""))
        assert blobs_in(root) == []
        assert await log(services, you) == []
        assert (await upload_package(services, you, body())).size_bytes == len(PACKAGE)


@pytest.mark.parametrize(
    ("data", "name", "version"),
    [
        (b"no archive", None, None),
        (raw(b"{}"), None, None),
        (raw(b'{"name": "acme/triage", "version": "1"}'), "acme/triage", None),
        (PACKAGE + b"!", None, None),
    ],
)
async def test_what_is_broken_is_kept_all_the_same(
    sqlite_url: str, data: bytes, name: str | None, version: str | None
) -> None:
    async with process(sqlite_url) as services:
        found = await upload_package(services, await demo(services.store), body(data))
        assert (found.name, found.version, found.size_bytes) == (name, version, len(data))


async def test_a_tenant_has_its_share_of_the_disk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "PACKAGE_BYTES_PER_TENANT", len(PACKAGE) + 100)
    async with process(database_url) as services:
        you, eve = await demo(services.store), await stranger(services.store)
        await upload_package(services, you, body())
        with pytest.raises(QuotaError):
            await upload_package(services, you, untouched(), declared_bytes=101)
        with pytest.raises(QuotaError):
            await upload_package(services, you, body(b"x" * 101))
        assert len(await log(services, you)) == 1
        assert await packages.bytes_of(services.store, you.tenant_id) == len(PACKAGE)
        await upload_package(services, you, body(b"x" * 100))
        await upload_package(services, eve, body())


async def test_no_more_is_read_than_there_is_room_for(
    sqlite_url: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PACKAGE_BYTES_PER_TENANT", len(PACKAGE) + 100)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 50
            yield b"x" * 50

    async with process(sqlite_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(root))
        you = await demo(services.store)
        await upload_package(services, you, body())
        with pytest.raises(QuotaError) as refused:
            await upload_package(services, you, endless())
        assert (refused.value.used, sent) == (len(PACKAGE), 150)
        assert blobs_in(root) == [DIGEST]


async def test_what_is_refused_takes_no_room_and_nothing_from_others(
    database_url: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads of one tenant that would all fit alone, at the same time as another tenant's of the same bytes."""
    contents = [bytes([number]) * 1_000 for number in range(4)]
    monkeypatch.setattr(uploading, "PACKAGE_BYTES_PER_TENANT", 1_500)
    async with process(database_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(root))
        you, eve = await demo(services.store), await stranger(services.store)
        mine = [upload_package(services, you, body(content)) for content in contents]
        theirs = [upload_package(services, eve, body(content)) for content in contents]
        pairs = [upload for pair in zip(mine, theirs, strict=True) for upload in pair]
        ends = await asyncio.gather(*pairs, return_exceptions=True)
        kept = [end for end in ends if isinstance(end, StoredPackage)]
        assert {type(end) for end in ends} == {StoredPackage, QuotaError}
        assert sorted(each.tenant_id for each in kept) == sorted([you.tenant_id, eve.tenant_id])
        assert blobs_in(root) == sorted({each.digest for each in kept})


async def test_many_at_once_are_one(database_url: str) -> None:
    async with process(database_url) as services:
        you, eve = await demo(services.store), await stranger(services.store)
        found = await asyncio.gather(
            *(
                upload_package(services, viewer, body(size=size))
                for viewer in (you, eve)
                for size in range(200, 1_000, 100)
            )
        )
        assert {each.digest for each in found} == {DIGEST}
        assert len(await log(services, you)) == len(await log(services, eve)) == 1


async def test_a_disk_that_takes_nothing_is_unavailable(sqlite_url: str) -> None:
    async with process(sqlite_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(Path("/dev/null/packages")))
        with pytest.raises(UnavailableError):
            await upload_package(services, await demo(services.store), body())
        assert await sweep_packages(services.store, services.blobs) == 0


async def test_bytes_that_nobody_has_on_record_are_swept(database_url: str, root: Path) -> None:
    async with process(database_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(root))
        you, eve = await demo(services.store), await stranger(services.store)
        await upload_package(services, you, body())
        await upload_package(services, eve, body(b"theirs"))

        await services.blobs.put(body(b"never acknowledged"), most=PACKAGE_MAX_BYTES)
        assert len(blobs_in(root)) == 3
        assert await sweep_packages(services.store, services.blobs) == 0
        assert await sweep_packages(services.store, services.blobs, older_than_s=0.0) == 1
        assert blobs_in(root) == sorted([DIGEST, sha256(b"theirs").hexdigest()])


async def test_what_was_acknowledged_is_there_whatever_is_swept_meanwhile(database_url: str, root: Path) -> None:
    async with process(database_url) as opened:
        services = replace(opened, blobs=DirectoryBlobs(root))
        you = await demo(services.store)
        contents = [b"%d" % number * 1_000 for number in range(40)]
        for content in contents:  # left behind long ago, and sent again while it is swept
            blob = await services.blobs.put(body(content), most=PACKAGE_MAX_BYTES)
            os.utime(await services.blobs.path(blob.digest), (1, 1))

        async def upload(content: bytes) -> str | None:
            try:
                return (await upload_package(services, you, body(content))).digest
            except UnavailableError:
                return None

        async def sweep() -> int:
            return sum([await sweep_packages(services.store, services.blobs) for _ in range(20)])

        swept, *acknowledged = await asyncio.gather(sweep(), *(upload(content) for content in contents))
        there = [digest for digest in acknowledged if isinstance(digest, str)]
        assert there
        assert [digest for digest in there if not await services.blobs.exists(digest)] == []
        assert isinstance(swept, int)


async def test_a_signature_is_put_beside_its_package(database_url: str) -> None:
    async with process(database_url) as services:
        you = await demo(services.store)
        await upload_package(services, you, body())
        about = statement(subject=[{"name": "x", "digest": {"sha256": DIGEST}}])
        first, second = envelope(about), envelope(about, more=1)
        signed = await sign_package(services, you, DIGEST, first)
        assert signed.signature_digest == sha256(first).hexdigest()
        await sign_package(services, you, DIGEST, first)
        assert await packages.signature_of(services.store, you.tenant_id, DIGEST) == signed
        await sign_package(services, you, DIGEST, second)
        found = await packages.signature_of(services.store, you.tenant_id, DIGEST)
        assert found
        assert found.envelope == second.decode()
        entries = (await log(services, you))[1:]
        assert [(entry.action, entry.subject_id) for entry in entries] == [(AuditAction.PACKAGE_SIGNED, DIGEST)] * 2
        for wrong in (b"{}", envelope(), b"x" * 300_000):
            with pytest.raises(ValidationError):
                await sign_package(services, you, DIGEST, wrong)
        assert len(await log(services, you)) == 3
