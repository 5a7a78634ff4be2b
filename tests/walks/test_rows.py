"""Below all of our code, PostgreSQL itself keeps each tenant's rows from every other's processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg  # type: ignore[import-untyped]
import pytest

from schema.ids import decode
from tests.operations.review_world import person, reject
from tests.walks import catalogue, pipeline
from tests.walks.catalogue import PROCESSES, SYSTEM
from tests.walks.things import make, make_all, upload
from tests.walks.world import World, open_world
from windtunnel.domain.entities import Kind
from windtunnel.domain.ids import new_id
from windtunnel.domain.packages import StoredSignature
from windtunnel.domain.people import Vouched
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.admit_person import admit_person
from windtunnel.storage import packages, submissions, workflows
from windtunnel.storage.privileged import STATEMENTS
from windtunnel.storage.schema_functions import FUNCTIONS
from windtunnel.storage.store import open_store

Denied = asyncpg.InsufficientPrivilegeError
ITS_OWN = ("cannot change like this", "only goes on")


@dataclass(frozen=True)
class Guarded:
    """A database in which both tenants have rows in every table; `owner` is the user that migrated it."""

    url: str
    owner: asyncpg.Connection
    tables: dict[str, str]
    mine: str
    theirs: str

    @asynccontextmanager
    async def acting_as(self, role: str, tenant: str | None) -> AsyncIterator[asyncpg.Connection]:
        """A session of its own, as a process has it; `tenant` None: no word was said of whose rows it wants."""
        session = await asyncpg.connect(self.url)
        try:
            await session.execute(f"SET ROLE {role}")
            if tenant is not None:
                await session.execute("SELECT set_config('windtunnel.tenant', $1, false)", tenant)
            yield session
        finally:
            await session.close()

    async def rows_of(self, table: str, tenant: str) -> list[str]:
        """All rows of a tenant, as JSON, by the owner, who sees them when he says whose he wants."""
        await self.owner.execute("SELECT set_config('windtunnel.tenant', $1, false)", tenant)
        rows = await self.owner.fetch(
            f"SELECT to_jsonb(t)::text AS row FROM {table} AS t WHERE {self.tables[table]} = $1 ORDER BY 1", tenant
        )
        return [row["row"] for row in rows]


@pytest.fixture
def guarded(postgres_database_url: str, runner: asyncio.Runner) -> Iterator[Guarded]:
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(_guarded(postgres_database_url)))
    runner.run(stack.aclose())


@pytest.fixture
def owner(postgres_database_url: str, runner: asyncio.Runner) -> Iterator[asyncpg.Connection]:
    """The user that migrated the database."""
    connection = runner.run(asyncpg.connect(postgres_database_url))
    yield connection
    runner.run(connection.close())


@asynccontextmanager
async def _guarded(url: str) -> AsyncIterator[Guarded]:
    store = await open_store(url)
    owner = await asyncpg.connect(url)
    try:
        async with open_world(store) as world:
            await _fill(world, world.mine)
            await _fill(world, world.theirs)
            yield Guarded(url, owner, await catalogue.tables(owner), world.mine.tenant_id, world.theirs.tenant_id)
    finally:
        await owner.close()
        await store.close()


async def _fill(world: World, viewer: Viewer) -> None:
    """A row in every table."""
    await make_all(world, viewer)
    simulation = await make(world, viewer, Kind.SIMULATION)
    await world.do("injectFailure", viewer, {Kind.SIMULATION: simulation}, idempotencyKey="once")
    rejected = await pipeline.waiting(world.services, viewer)
    await reject(world.services, await person(world.services, viewer, "reviewer@walk.test"), rejected)
    async with world.store.transaction(viewer.tenant_id):
        await submissions.show(
            world.store, viewer.tenant_id, [Evidence(rejected.id, "Simulation", new_id(), "It went well.")]
        )
    experiment = decode(await make(world, viewer, Kind.EXPERIMENT))
    assert experiment
    await world.store.of(viewer.tenant_id).fetch(
        "INSERT INTO experiment_chunks (experiment_id, number, tenant_id, data) VALUES ($1, 0, $2, $3)",
        experiment[1],
        viewer.tenant_id,
        b"done",
    )
    await workflows.follows(world.store, viewer.tenant_id, new_id(), viewer.user.id)
    await world.do("setFeatureFlag", viewer)
    await world.do("configureProduction", viewer)
    now = await world.store.now()
    digest = await upload(world, viewer)
    await packages.sign(world.store, StoredSignature(viewer.tenant_id, digest, digest, "{}", viewer.user.id, now))
    vouched = Vouched("https://issuer", "me", viewer.tenant.slug, "Me", None, None, now)
    await admit_person(world.store, vouched)


async def test_every_process_sees_one_tenant_alone(guarded: Guarded) -> None:
    faults = []
    for table in guarded.tables:
        assert await guarded.rows_of(table, guarded.theirs), f"no row in {table}: teach `_fill` to make one"
        assert await guarded.rows_of(table, guarded.mine)
    for role in PROCESSES:
        for tenant in (guarded.mine, "", None):
            async with guarded.acting_as(role, tenant) as session:
                for table, column in guarded.tables.items():
                    try:
                        seen = {row[0] for row in await session.fetch(f"SELECT DISTINCT {column} FROM {table}")}
                    except Denied:
                        continue
                    if seen != ({tenant} if tenant else set()):
                        faults.append(f"{role} for {tenant!r} sees {seen} in {table}")
    assert faults == []


async def test_no_process_changes_anything_of_another_tenant(guarded: Guarded) -> None:
    before = {table: await guarded.rows_of(table, guarded.theirs) for table in guarded.tables}
    faults = []
    for role in PROCESSES:
        async with guarded.acting_as(role, guarded.mine) as session:
            for table, column in guarded.tables.items():
                faults += [f"{role}: {fault}" for fault in await _trespasses(session, guarded, table, column)]
    assert faults == []
    assert {table: await guarded.rows_of(table, guarded.theirs) for table in guarded.tables} == before


async def _trespasses(session: asyncpg.Connection, guarded: Guarded, table: str, column: str) -> list[str]:
    """What was not refused, of all the ways to write a row that is theirs."""
    (row, *_) = await guarded.rows_of(table, guarded.theirs)
    refused = {
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, $1::jsonb)).*": row,
        f"UPDATE {table} SET {column} = $1": guarded.theirs,
    }
    without_effect = {
        f"UPDATE {table} SET {column} = {column} WHERE {column} = $1": "UPDATE 0",
        f"DELETE FROM {table} WHERE {column} = $1": "DELETE 0",
    }
    faults = []
    for sql, argument in refused.items():
        try:
            await session.execute(sql, argument)
        except Denied:
            continue
        except asyncpg.IntegrityConstraintViolationError as error:
            if any(words in str(error) for words in ITS_OWN):  # the table's own trigger has seen it first
                continue
            raise
        faults.append(f"{sql} was not refused")
    for sql, nothing in without_effect.items():
        try:
            done = await session.execute(sql, guarded.theirs)
        except Denied:
            continue
        if done != nothing:
            faults.append(f"{sql}: {done}")
    return faults


async def test_every_table_is_guarded_by_the_same_policy(owner: asyncpg.Connection) -> None:
    assert await catalogue.unguarded(owner) == [], "or add it to OF_NO_TENANT of tests/walks/catalogue.py"
    found = await catalogue.policies(owner)
    for table, column in (await catalogue.tables(owner)).items():
        of_the_tenant = f"(({column})::text = current_setting('windtunnel.tenant'::text, true))"
        assert sorted(found[table]) == [
            ("*", ["public"], of_the_tenant, None),
            ("*", [SYSTEM], "true", None),
        ], table


async def test_no_role_of_a_process_can_step_around_the_guard(owner: asyncpg.Connection) -> None:
    for role in (*PROCESSES, SYSTEM):
        assert not any((await catalogue.powers(owner, role)).values()), role
    assert await catalogue.may_become(owner, "windtunnel_api") == set()
    assert await catalogue.may_become(owner, "windtunnel_worker") == set()
    assert await catalogue.may_become(owner, "windtunnel_server") == {"windtunnel_api", "windtunnel_worker"}


async def test_only_the_named_statements_look_across_tenants(owner: asyncpg.Connection) -> None:
    found = await catalogue.elevated_functions(owner)
    named = {statement.function.replace(", ", ","): (SYSTEM, False) for statement in STATEMENTS}
    others = found.keys() - named.keys()
    assert {signature: kept for signature, kept in found.items() if signature not in others} == named
    # Those that make and remove databases of environments touch no row.
    assert {name.partition("(")[0] for name in others} == {each.function.partition("(")[0] for each in FUNCTIONS}
    assert {public for _, public in map(found.__getitem__, others)} == {False}


async def test_no_function_of_ours_is_for_everybody(owner: asyncpg.Connection) -> None:
    assert await catalogue.functions_for_everybody(owner) == [], "REVOKE ALL ON FUNCTION ... FROM PUBLIC"


async def test_every_reference_stays_within_its_tenant(owner: asyncpg.Connection) -> None:
    assert await catalogue.loose_references(owner) == []
    assert await catalogue.unattached(owner) == []
