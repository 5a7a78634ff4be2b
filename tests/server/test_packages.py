"""Packages through real HTTP: streamed, bounded, refused with the right status, and gone when they break off."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import httpx
import psutil
import pytest

from app import requests
from app.limiting.buckets import Buckets
from app.limiting.limiter import Limiter
from schema.ids import Kind, encode
from tests.operations.world import process
from tests.packages.test_signatures import envelope, statement
from tests.packages.world import package
from tests.processes import Api
from tests.server.uploads import Upload, doors, until
from tests.storage.test_tokens import issued
from tests.storage.worlds import demo, stranger
from windtunnel.domain.viewers import Role
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.storage import packages, tokens

MIB = 1024 * 1024
PACKAGE = package()
DIGEST = sha256(PACKAGE).hexdigest()


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def pieces(total: int) -> Iterator[bytes]:
    """Bytes that no compressor could make less of."""
    random = Random(7)
    for _ in range(total // 65_536):
        yield random.randbytes(65_536)
    yield random.randbytes(total % 65_536)


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_package_is_uploaded_signed_and_uploaded_again(rest: httpx.Client) -> None:
    for _ in range(2):
        response = rest.put("/packages", content=PACKAGE)
        assert response.status_code == 201
        assert response.json() == {"digest": DIGEST, "sizeBytes": len(PACKAGE)}
    signature = envelope(statement(subject=[{"digest": {"sha256": DIGEST}}]))
    response = rest.put(f"/packages/{DIGEST}/signature", content=signature)
    assert response.status_code == 201
    assert response.json() == {"digest": DIGEST, "signatureDigest": sha256(signature).hexdigest()}
    query = (
        "{ auditLog(first: 100, filter: {actions: [PACKAGE_UPLOADED, PACKAGE_SIGNED]}) { nodes { action subjectId } } }"
    )
    found = rest.post("/graphql", json={"query": query}).json()["data"]["auditLog"]["nodes"]
    # Others have used the same server.
    mine = [node["action"] for node in found if node["subjectId"] == encode(Kind.PACKAGE, DIGEST)]
    assert mine == ["PACKAGE_SIGNED", "PACKAGE_UPLOADED"]


@pytest.mark.parametrize(
    ("asked", "content", "headers", "expected"),
    [
        (("PUT", "/packages"), b"", {}, (400, "BAD_USER_INPUT")),
        (("PUT", "/packages"), PACKAGE, {"Content-Encoding": "gzip"}, (415, "BAD_USER_INPUT")),
        (("PUT", "/packages"), PACKAGE, {"Authorization": "Bearer wrong"}, (401, "UNAUTHENTICATED")),
        (("PUT", "/packages"), PACKAGE, {"Origin": "https://evil.example"}, (403, "FORBIDDEN")),
        (("GET", "/packages"), b"", {}, (405, "BAD_USER_INPUT")),
        (("POST", "/packages"), PACKAGE, {}, (405, "BAD_USER_INPUT")),
        (("GET", f"/packages/{DIGEST}"), b"", {}, (404, "NOT_FOUND")),
        (("PUT", f"/packages/{'0' * 64}/signature"), envelope(), {}, (404, "NOT_FOUND")),
        (("PUT", "/packages/..%2f..%2fetc/signature"), envelope(), {}, (404, "NOT_FOUND")),
        (("PUT", f"/packages/{DIGEST}/signature"), b"x" * 262_145, {}, (413, "LIMIT_EXCEEDED")),
    ],
)
def test_what_is_refused(
    rest: httpx.Client, asked: tuple[str, str], content: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code(rest.request(*asked, content=content, headers=headers)) == expected


def test_a_signature_of_something_else_is_refused(rest: httpx.Client) -> None:
    rest.put("/packages", content=PACKAGE)
    assert code(rest.put(f"/packages/{DIGEST}/signature", content=envelope())) == (400, "BAD_USER_INPUT")
    assert code(rest.put(f"/packages/{DIGEST}/signature", content=b"\xff")) == (400, "BAD_USER_INPUT")


def test_what_the_limit_allows_is_taken_and_memory_stays_flat(tmp_path: Path) -> None:
    """50 MiB to the byte, then 60 MiB with and without telling beforehand."""
    with Api({"WINDTUNNEL_DATA_DIR": str(tmp_path)}) as api, httpx.Client(base_url=api.url, timeout=120) as client:
        server = psutil.Process(api.pid)
        client.post("/simulate", json={"scenario": "Sort the mail."})  # what is imported on the way has been
        client.put("/packages", content=PACKAGE)
        before, highest, over = server.memory_info().rss, 0, threading.Event()

        def look() -> None:
            nonlocal highest
            while not over.wait(0.01):
                highest = max(highest, server.memory_info().rss)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            allowed = client.put("/packages", content=pieces(50 * MIB))
            told = client.put("/packages", content=pieces(60 * MIB), headers={"Content-Length": str(60 * MIB)})
            untold = client.put("/packages", content=pieces(60 * MIB))
        finally:
            over.set()
            looking.join()
        assert allowed.status_code == 201
        assert allowed.json()["sizeBytes"] == 50 * MIB
        assert code(told) == code(untold) == (413, "LIMIT_EXCEEDED")
        assert "52,428,800" in told.json()["error"]["message"]
        kept = {path.name for path in files(tmp_path / "packages")}
        assert kept == {DIGEST, allowed.json()["digest"]}
        assert highest - before < 16 * MIB


def test_killed_in_the_middle_it_has_promised_nothing(tmp_path: Path) -> None:
    settings = {"WINDTUNNEL_DATA_DIR": str(tmp_path)}

    async def half(port: int) -> None:
        upload = await Upload.begin(port, f"Content-Length: {10 * MIB}")
        await upload.send(bytes(5 * MIB))
        await until(lambda: any(path.stat().st_size > MIB for path in files(tmp_path / "packages")))
        psutil.Process(api.pid).kill()
        answer = await upload.rest()
        await upload.close()
        assert answer == b""

    async def swept() -> int:
        return await DirectoryBlobs(tmp_path / "packages").sweep(0.0)

    with Api(settings) as api:
        asyncio.run(half(api.port))
    assert [path.parent.name for path in files(tmp_path / "packages")] == ["drafts"]
    with Api(settings) as api, httpx.Client(base_url=api.url, timeout=60) as client:
        query = "{ auditLog(first: 1, filter: {actions: [PACKAGE_UPLOADED]}) { totalCount } }"
        found = client.post("/graphql", json={"query": query}).json()["data"]
        assert found == {"auditLog": {"totalCount": 0}}
        assert asyncio.run(swept()) == 1
        assert files(tmp_path / "packages") == []
        assert client.put("/packages", content=PACKAGE).status_code == 201


async def test_each_tenant_and_role_through_the_doors(database_url: str) -> None:
    async with process(database_url) as services:
        you, eve = await demo(services.store), await stranger(services.store)
        viewers = {None: you, "eve": eve, "auditor": replace(you, roles=frozenset({Role.AUDITOR}))}
        async with doors(services, viewers) as opened, httpx.AsyncClient(base_url=opened.url, timeout=60) as client:
            as_eve = {"Authorization": "Bearer eve"}
            assert (await client.put("/packages", content=PACKAGE)).status_code == 201
            signature = envelope(statement(subject=[{"digest": {"sha256": DIGEST}}]))
            foreign = await client.put(f"/packages/{DIGEST}/signature", content=signature, headers=as_eve)
            unknown = await client.put(f"/packages/{'0' * 64}/signature", content=signature, headers=as_eve)
            assert code(foreign) == code(unknown) == (404, "NOT_FOUND")
            assert foreign.json() == unknown.json()
            assert (await client.put("/packages", content=PACKAGE, headers=as_eve)).status_code == 201
            signed = await client.put(f"/packages/{DIGEST}/signature", content=signature, headers=as_eve)
            assert signed.status_code == 201
            refused = await client.put("/packages", content=PACKAGE, headers={"Authorization": "Bearer auditor"})
            assert code(refused) == (403, "FORBIDDEN")
        assert await packages.signature_of(services.store, you.tenant_id, DIGEST) is None


async def test_a_body_that_stalls_times_out_and_leaves_nothing(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)
    async with process(sqlite_url) as opened_services:
        services = replace(opened_services, blobs=DirectoryBlobs(tmp_path / "packages"))
        async with doors(services, {None: await demo(services.store)}) as opened:
            upload = await Upload.begin(opened.port, "Content-Length: 1000")
            await upload.send(b"PK")
            answer = await upload.rest()
            assert b" 408 " in answer
            assert b"connection: close" in answer.lower()
            assert b'"TIMEOUT"' in answer
            await upload.close()
            monkeypatch.setattr(requests, "BODY_SECONDS", 30.0)
            monkeypatch.setattr(requests, "STREAM_SECONDS", 0.05)
            upload = await Upload.begin(opened.port, "Transfer-Encoding: chunked")
            await upload.chunk(b"PK")
            assert b" 408 " in await upload.rest()
            await upload.close()
        assert files(tmp_path / "packages") == []


async def test_who_hangs_up_leaves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    root = tmp_path / "packages"
    async with process(sqlite_url) as opened_services:
        services = replace(opened_services, blobs=DirectoryBlobs(root))
        async with doors(services, {None: await demo(services.store)}) as opened:
            upload = await Upload.begin(opened.port, "Content-Length: 1000000")
            await upload.send(bytes(500_000))
            await until(lambda: bool(files(root)))
            await upload.close()
            await until(lambda: not files(root))


async def test_a_tenant_has_few_uploads_under_way(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you, eve = await demo(services.store), await stranger(services.store)
        async with doors(services, {None: you, "eve": eve}) as opened:
            uploads = [await Upload.begin(opened.port, f"Content-Length: {len(PACKAGE)}") for _ in range(5)]
            statuses = [asyncio.create_task(upload.status()) for upload in uploads]
            done, waiting = await asyncio.wait(statuses, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result() for task in done] == [429]
            assert len(waiting) == 4
            async with httpx.AsyncClient(base_url=opened.url, timeout=60) as client:
                other = await client.put("/packages", content=PACKAGE, headers={"Authorization": "Bearer eve"})
                assert other.status_code == 201
                for upload in uploads:
                    await upload.send(PACKAGE)
                assert sorted([task.result() for task in done] + [await task for task in waiting]) == [201] * 4 + [429]
                assert (await client.put("/packages", content=PACKAGE)).status_code == 201
            for upload in uploads:
                await upload.close()


async def test_an_upload_costs_points(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you = await demo(services.store)
        limiter = Limiter(Buckets(25))
        async with (
            doors(services, {None: you}, limiter) as opened,
            httpx.AsyncClient(base_url=opened.url, timeout=60) as client,
        ):
            answers = [await client.put("/packages", content=PACKAGE) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [201, 201, 429]
            assert int(answers[2].headers["retry-after"]) >= 1


async def test_an_upload_ends_with_the_token(sqlite_url: str, tmp_path: Path) -> None:
    async with process(sqlite_url) as opened_services:
        services = replace(opened_services, blobs=DirectoryBlobs(tmp_path / "packages"))
        you = await demo(services.store)
        token, _ = await issued(services.store, you)
        holder = replace(you, token_id=token.id, roles=token.roles)
        async with doors(services, {"token": holder}) as opened:
            upload = await Upload.begin(opened.port, "Authorization: Bearer token", "Transfer-Encoding: chunked")
            await upload.chunk(bytes(300_000))
            await until(lambda: bool(files(tmp_path / "packages")))
            await tokens.revoke(services.store, you.tenant_id, token.id)
            await opened.watch.look()
            assert await upload.status() == 401
            await upload.close()
        assert files(tmp_path / "packages") == []
