"""Two tenants on one database, each with a thing of every kind, and a client that shows whole answers."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import strawberry
from graphql import get_named_type, is_leaf_type
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.encoding import encode_json
from app.graphql.masking import public_errors
from resolvers.context import Context
from schema.ids import encode
from schema.root import build_schema
from tests.graphql.documents import everything
from tests.operations.world import ReadyPlanner
from tests.storage import worlds
from tests.telemetry.collectors import collecting
from tests.walks.inputs import arguments
from tests.walks.shape import Entry, root_entries
from windtunnel.domain.entities import Kind
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Viewer
from windtunnel.knowledge import load_book
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.storage.store import Store, open_store
from windtunnel.streams.bus import open_bus
from windtunnel.telemetry.collector import collector_of

ENTRIES = {entry.name: entry for entry in root_entries()}

logging.getLogger("strawberry.execution").disabled = True  # as the transport does

Answer = dict[str, Any]
"""`data` and `errors`, as a client gets them."""
Snapshot = dict[str, list[str]]


@dataclass(frozen=True)
class World:
    """`mine` asks, `theirs` must stay hidden; both have every role."""

    services: Services
    schema: strawberry.Schema
    mine: Viewer
    theirs: Viewer

    @property
    def store(self) -> Store:
        return self.services.store

    async def ask(self, entry: Entry, given: dict[str, Any], viewer: Viewer | None, levels: int = 1) -> Answer:
        """The whole answer, with everything `levels` types deep; of a subscription, its first."""
        given = _resumed(entry, given)
        context = Context(self.services, viewer, request_id="walk")
        async with aclosing(await self.schema.stream(document(entry, tuple(given), levels), given, context)) as results:
            async for result in results:
                assert isinstance(result, ExecutionResult | PreExecutionError)
                errors = [error.formatted for error in public_errors(result.errors or [], "walk")]
                return {"data": result.data, "errors": errors}
        return {"data": None, "errors": []}

    async def do(self, verb: str, viewer: Viewer, own: dict[Kind, str] | None = None, **input: Any) -> Any:
        """The payload of a mutation that must succeed; `own` has ids of things to do it to."""
        entry = ENTRIES[verb]
        given = arguments(entry, lambda kind: (own or {})[kind])
        given["input"] |= input
        answer = await self.ask(entry, given, viewer, levels=3)
        payload = (answer["data"] or {}).get(verb)
        assert payload, answer
        assert payload["errors"] == [], answer
        return payload

    async def snapshot(self, viewer: Viewer, *, without: Sequence[str] = ()) -> Snapshot:
        """Every row of the viewer's tenant in every table."""
        rows = {}
        for table, column in await tables(self.store):
            if table not in without:
                found = await self.store.of(viewer.tenant_id).fetch(
                    f"SELECT * FROM {table} WHERE {column} = $1", viewer.tenant_id
                )
                rows[table] = sorted(repr(sorted(row.items())) for row in found)
        return rows

    async def log(self, viewer: Viewer, after: int = 0) -> list[str]:
        """The actions in the tenant's audit log but for the first so many, oldest first."""
        rows = await self.store.of(viewer.tenant_id).fetch(
            "SELECT action FROM audit_entries WHERE tenant_id = $1 AND seq > $2 ORDER BY seq", viewer.tenant_id, after
        )
        return [row["action"] for row in rows]

    async def logged(self, viewer: Viewer) -> int:
        """How many actions are in the tenant's audit log."""
        rows = await self.store.of(viewer.tenant_id).fetch(
            "SELECT COALESCE(MAX(seq), 0) AS seq FROM audit_entries WHERE tenant_id = $1", viewer.tenant_id
        )
        return int(rows[0]["seq"])


@asynccontextmanager
async def closing_store(url: str) -> AsyncIterator[Store]:
    """A store that is closed with the block."""
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_world(store: Store, schema: strawberry.Schema | None = None) -> AsyncIterator[World]:
    """Two people of two tenants who have nothing yet."""
    async with AsyncExitStack() as stack:
        bus = await open_bus(None)
        stack.push_async_callback(bus.close)
        collector = collector_of(stack.enter_context(collecting()).url)
        opened = open_services(store, bus, ReadyPlanner(), load_book(), Limits(), owner="walk", collector=collector)
        services = await stack.enter_async_context(opened)
        mine, theirs = await worlds.demo(store), await worlds.stranger(store)
        yield World(services, schema or cached_schema(), mine, theirs)


@cache
def cached_schema() -> strawberry.Schema:
    """The schema, which reads each document once."""
    return build_schema(caches())


def caches() -> list[Callable[[], SchemaExtension]]:
    """What spares a walk most of its time: every document comes many times."""
    return [lambda: ParserCache(maxsize=None), lambda: ValidationCache(maxsize=None)]


@cache
def document(entry: Entry, given: tuple[str, ...], levels: int) -> str:
    """The operation that asks for the field with these arguments, all of them variables."""
    inner = get_named_type(entry.field.type)
    selected = "" if is_leaf_type(inner) else everything(inner.name, levels)
    declared = ", ".join(f"${name}: {entry.field.args[name].type}" for name in given)
    passed = ", ".join(f"{name}: ${name}" for name in given)
    call = f"{entry.name}{f'({passed})' if passed else ''} {selected}"
    for outer in reversed(entry.path[:-1]):
        call = f"{outer} {{ {call} }}"
    return f"{entry.operation}{f'({declared})' if declared else ''} {{ {call} }}"


def _resumed(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """A stream that can be resumed is read from its beginning, so that there is something to see at once."""
    return {"after": 0} | given if entry.operation == "subscription" and "after" in entry.field.args else given


async def tables(store: Store) -> list[tuple[str, str]]:
    """Each table that has rows of tenants, with the column that says whose."""
    catalogue = {
        "sqlite": "SELECT m.name AS name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c"
        " ON c.name = 'tenant_id' WHERE m.type = 'table' ORDER BY m.name",
        "postgres": "SELECT c.relname AS name FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
        " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p')"
        " AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname",
    }
    rows = await store.fetch(catalogue[store.dialect])
    return [("tenants", "id"), *((row["name"], "tenant_id") for row in rows)]


async def naming_guarded(store: Store) -> re.Pattern[str]:
    """Matches statements that name a table of tenants' rows."""
    names = [name for name, column in await tables(store) if column == "tenant_id"]
    return re.compile(rf"\b({'|'.join(names)})\b")


def unknown(kind: Kind) -> str:
    """A well-formed id of nothing."""
    return encode(kind, new_id())


def shown(answer: Answer, id: str) -> bytes:
    """The answer as a client sees it, but for the id that was asked for."""
    return encode_json(answer).replace(id.encode(), b"ID")


def codes(answer: Answer) -> list[str]:
    """The codes of the top-level errors."""
    return [error["extensions"]["code"] for error in answer["errors"]]
