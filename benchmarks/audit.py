"""Audit appends on PostgreSQL, six writers on one tenant (goal: 1,000/s), beside a chain built the obvious way.

The obvious way: lock the tenant's row, read the last entry, hash, insert, each a statement of its own.
"""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256

import rfc8785
import uvloop

from benchmarks.server import print_row
from tests.databases import migrate_url, postgres_database
from tests.servers import PostgresServer
from windtunnel.domain.audit import GENESIS_HASH, AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage import audit, tenants
from windtunnel.storage.store import Store, open_store

WRITERS = 6
APPENDS = 400
ROUNDS = 3

Append = Callable[[Store, str, int], Awaitable[None]]


async def ours(store: Store, tenant_id: str, number: int) -> None:
    """What an operation does, with nothing but its record in the transaction."""
    subject = Subject(Kind.SIMULATION, new_id())
    draft = AuditDraft(AuditAction.SIMULATION_STARTED, subject, details={"seed": number, "pace": 1.0})
    async with store.transaction(tenant_id):
        await audit.append(store, tenant_id, draft)


async def obvious(store: Store, tenant_id: str, number: int) -> None:
    """As the same row, by itself."""
    async with store.transaction(tenant_id):
        scope = store.of(tenant_id)
        await scope.fetch("SELECT id FROM users WHERE tenant_id = $1 ORDER BY id LIMIT 1 FOR UPDATE", tenant_id)
        last = await scope.fetch(
            "SELECT seq, hash FROM audit_entries WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1", tenant_id
        )
        now = await scope.fetch("SELECT {now} AS at_ms")
        row = {
            "tenant_id": tenant_id,
            "seq": last[0]["seq"] + 1 if last else 1,
            "id": new_id(),
            "at_ms": now[0]["at_ms"],
            "actor_id": None,
            "token_id": None,
            "action": "SIMULATION_STARTED",
            "subject_kind": "Simulation",
            "subject_id": new_id(),
            "reason": None,
            "request_id": "",
            "details": rfc8785.dumps({"seed": number, "pace": 1.0}).decode(),
            "previous_hash": last[0]["hash"] if last else GENESIS_HASH,
        }
        row["hash"] = sha256(rfc8785.dumps(row)).hexdigest()
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await scope.fetch(f"INSERT INTO audit_entries ({', '.join(row)}) VALUES ({places})", *row.values())


WAYS: dict[str, Append] = {"ours": ours, "obvious": obvious}


async def write(url: str, way: str, ready: "multiprocessing.synchronize.Barrier") -> None:
    """One writer, from the moment on that all are ready."""
    store = await open_store(url)
    tenant_id = (await tenants.ensure_demo(store)).tenant_id
    await WAYS[way](store, tenant_id, 0)
    await asyncio.to_thread(ready.wait)
    for number in range(APPENDS):
        await WAYS[way](store, tenant_id, number)
    await store.close()


def writer(url: str, way: str, ready: "multiprocessing.synchronize.Barrier") -> None:
    uvloop.run(write(url, way, ready))


async def checked(url: str) -> None:
    """The chain has every entry, in order."""
    store = await open_store(url)
    tenant_id = (await tenants.ensure_demo(store)).tenant_id
    verdict = await check_chain(store, None, tenant_id)
    await store.close()
    assert verdict.valid
    assert verdict.entries == WRITERS * (APPENDS + 1)


def measure(server: str, template: str, way: str) -> float:
    """Appends per second on a fresh database."""
    with postgres_database(server, template) as url:
        asyncio.run(prepare(url))
        ready = multiprocessing.Barrier(WRITERS + 1)
        processes = [multiprocessing.Process(target=writer, args=(url, way, ready)) for _ in range(WRITERS)]
        for process in processes:
            process.start()
        ready.wait()
        begin = time.perf_counter()
        for process in processes:
            process.join()
        elapsed = time.perf_counter() - begin
        assert all(process.exitcode == 0 for process in processes)
        if way == "ours":
            asyncio.run(checked(url))
    return WRITERS * APPENDS / elapsed


async def prepare(url: str) -> None:
    """The tenant that all write to."""
    store = await open_store(url)
    await tenants.ensure_demo(store)
    await store.close()


def main() -> int:
    """Both ways in turn, so that a burst of other load hits neither alone; the best of each."""
    best = dict.fromkeys(WAYS, 0.0)
    with PostgresServer() as server, postgres_database(server.url) as migrated:
        migrate_url(migrated)
        template = migrated.rpartition("/")[2]
        for _ in range(ROUNDS):
            for way in WAYS:
                best[way] = max(best[way], measure(server.url, template, way))
    print_row(
        f"audit appends, {WRITERS} processes on one tenant",
        f"ours {best['ours']:,.0f}/s",
        f"obvious {best['obvious']:,.0f}/s",
        f"ratio {best['ours'] / best['obvious']:.2f}",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
