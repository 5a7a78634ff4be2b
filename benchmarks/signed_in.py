"""A mutation of somebody who signed in, on record, beside the same one open to all, off the record (goal: 1.5x).

Open: no token, and nothing is appended to the audit log. The lightest mutation, so that what is added weighs most;
then `simulate`, which what is added should not be felt in.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass

import orjson
import uvloop

from benchmarks.embedded import embedded
from benchmarks.server import TEXT, ms, percentile, print_row
from tests.databases import migrate_url, postgres_database
from tests.servers import PostgresServer
from windtunnel.domain.audit import AuditDraft, AuditEntry
from windtunnel.domain.viewers import Role
from windtunnel.operations import audit_trail
from windtunnel.operations.provide_token import provide_token
from windtunnel.planning import warm_up
from windtunnel.storage import audit
from windtunnel.storage.store import Store

REQUESTS = 200
ROUNDS = 25
FLAG = "enable-deployment-pipeline"


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that is kept open, with as little of a client as can be, so that the server is what is measured."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: str

    async def ask(self, document: str) -> float:
        """Seconds until the answer is there."""
        body = orjson.dumps({"query": document})
        head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{self.headers}"
        begin = time.perf_counter()
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answered.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await self.reader.readexactly(int(length.split(b":")[1]))
        took = time.perf_counter() - begin
        assert b'"errors":[]' in answer, answer
        return took


def documents() -> Iterator[tuple[str, str]]:
    """What is asked again and again, each time for something new, by the name it is shown under."""
    number = 0
    while True:
        number += 1
        on = "true" if number % 2 else "false"
        yield (
            "setFeatureFlag",
            f'mutation {{ setFeatureFlag(input: {{ name: "{FLAG}", enabled: {on} }}) {{ errors {{ code }} }} }}',
        )
        text = f"{TEXT} {number}"
        yield (
            "simulate",
            f'mutation {{ simulate(input: {{ scenario: {{ text: "{text}" }} }}) {{ errors {{ code }} }} }}',
        )


@contextmanager
def off_the_record() -> Iterator[None]:
    """Within, nothing is appended to the audit log."""
    kept = audit.append

    async def nothing(store: Store, tenant_id: str, draft: AuditDraft) -> AuditEntry:
        del store, tenant_id, draft
        return AuditEntry("", 0, "", 0, None, None, "", "", "", None, "", "{}", "", "")

    audit_trail.audit.append = nothing
    try:
        yield
    finally:
        audit_trail.audit.append = kept


@asynccontextmanager
async def line(port: int, headers: str) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer, headers)
    finally:
        writer.close()


async def measure(url: str | None) -> dict[str, dict[str, list[float]]]:
    """Seconds of each mutation, open and signed in, in alternating rounds."""
    took: dict[str, dict[str, list[float]]] = {"open": {}, "signed in": {}}
    async with embedded(database_url=url) as (runtime, port):
        store = runtime.services.store
        await asyncio.to_thread(warm_up)
        issued = await provide_token(store, "demo", "bench@example.org", [Role.ADMIN], name="benchmark")
        bearer = f"Authorization: Bearer {issued.secret}\r\n"
        asked = documents()
        for number in range(ROUNDS):
            for way, headers, record in (("open", "", off_the_record()), ("signed in", bearer, nullcontext())):
                with record:
                    async with line(port, headers) as who:
                        for _ in range(2 * REQUESTS // ROUNDS):
                            name, document = next(asked)
                            seconds = await who.ask(document)
                            if number:  # the first round warms imports and caches
                                took[way].setdefault(name, []).append(seconds)
    return took


def report(database: str, took: dict[str, dict[str, list[float]]]) -> None:
    for name, seconds in took["open"].items():
        before, after = percentile(seconds, 0.5), percentile(took["signed in"][name], 0.5)
        print_row(
            f"{name}, {database}, p50", f"open {ms(before)}", f"signed in {ms(after)}", f"ratio {after / before:.2f}"
        )


def main() -> None:
    """One server, one client, one request at a time."""
    report("SQLite", uvloop.run(measure(None)))
    with PostgresServer() as server, postgres_database(server.url) as url:
        migrate_url(url)
        report("PostgreSQL", uvloop.run(measure(url)))


if __name__ == "__main__":
    main()
