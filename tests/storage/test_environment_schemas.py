"""Schemas of environments: made by workers for an owner who is no superuser, closed to all others, gone in the end."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import pytest

from tests.databases import administer, migrate_url, postgres_database
from tests.servers import PostgresServer
from tests.storage.test_roles import logged_in_as, owned_database, users
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.storage import environment_schemas, postgres_access
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.errors import RightError
from windtunnel.storage.migrations import ROLES
from windtunnel.storage.schema_functions import FUNCTIONS
from windtunnel.storage.scram import scram_verifier
from windtunnel.storage.store import DatabaseRole, Store, open_store

HOME_TABLES = (
    "SELECT c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'm', 'S')"
)
HOME_FUNCTIONS = (
    "SELECT p.oid::regprocedure::text AS name, has_function_privilege($1, p.oid, 'EXECUTE') AS may FROM pg_proc AS p"
    " JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'public'"
)
LEFT = (
    "SELECT ARRAY[(SELECT count(*) FROM pg_authid), (SELECT count(*) FROM pg_auth_members),"
    " (SELECT count(*) FROM pg_shdescription), (SELECT count(*) FROM pg_db_role_setting),"
    " (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),"
    " (SELECT count(*) FROM pg_shdepend), (SELECT count(*) FROM pg_largeobject_metadata),"
    " (SELECT COALESCE(cardinality(datacl), 0) FROM pg_database WHERE datname = current_database())] AS counts"
)


@dataclass(frozen=True)
class Installation:
    """A database that is not open to all, with an owner who is no superuser, and users for API and worker."""

    url: str
    owner: str
    api: str
    worker: str

    @asynccontextmanager
    async def opened(self, role: DatabaseRole) -> AsyncIterator[Store]:
        user = self.api if role is DatabaseRole.API else self.worker
        store = await open_store(logged_in_as(self.url, user), role=role)
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def schemas(self) -> AsyncIterator[EnvironmentSchemas]:
        async with self.opened(DatabaseRole.WORKER) as store:
            yield EnvironmentSchemas(store)


@contextmanager
def installed(server_url: str) -> Iterator[Installation]:
    with users(server_url, "CREATEROLE", "", "") as (owner, api, worker):
        administer(
            server_url,
            f"GRANT {', '.join(ROLES)} TO {owner} WITH ADMIN OPTION",
            f"GRANT windtunnel_api TO {api}",
            f"GRANT windtunnel_worker TO {worker}",
        )
        with owned_database(server_url, owner) as url:
            name = url.rpartition("/")[2]
            administer(
                url,
                f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
                f"GRANT CONNECT ON DATABASE {name} TO {owner}, {api}, {worker}",
            )
            migrate_url(logged_in_as(url, owner))
            yield Installation(url, owner, api, worker)


@pytest.fixture(scope="module")
def installation(postgres_url: str, postgres_template: str) -> Iterator[Installation]:
    del postgres_template  # the roles exist
    with installed(postgres_url) as found:
        yield found


@pytest.fixture
def superuser(installation: Installation, runner: asyncio.Runner) -> Iterator[Store]:
    """Who may look at everything."""
    store = runner.run(open_store(installation.url, role=None))
    try:
        yield store
    finally:
        runner.run(store.close())


def new_key() -> EnvironmentKey:
    return EnvironmentKey(new_namespace(), secrets.token_hex(32))


async def left(superuser: Store) -> list[int]:
    rows = await superuser.fetch(LEFT)
    counts: list[int] = rows[0]["counts"]
    return counts


async def test_nothing_is_left(installation: Installation, superuser: Store) -> None:
    async with installation.schemas() as schemas:
        before = await left(superuser)
        key = new_key()
        await schemas.create(key)
        await schemas.create(key)  # as after a half-done try
        assert await left(superuser) != before
        assert await schemas.all() == [key.namespace]
        store = await schemas.open(key)
        await store.fetch("SELECT lo_create(0)")
        await store.fetch("CREATE VIEW every_event AS SELECT * FROM simulation_events")
        await store.close()
        await schemas.remove(key.namespace)
        await schemas.remove(key.namespace)
        assert not await schemas.exists(key.namespace)
        assert await schemas.all() == []
        assert await left(superuser) == before


async def test_many_come_and_go_at_once(installation: Installation, superuser: Store) -> None:
    """Although each changes the list of who may connect to the database."""
    async with installation.schemas() as schemas:
        before = await left(superuser)
        keys = [new_key() for _ in range(12)]
        await asyncio.gather(*(schemas.create(key) for key in keys))
        assert await schemas.all() == sorted(key.namespace for key in keys)
        await asyncio.gather(*(schemas.remove(key.namespace) for key in keys))
        assert await left(superuser) == before


async def test_what_was_half_removed_is_removed_and_what_was_half_made_is_made(
    installation: Installation, superuser: Store
) -> None:
    async with installation.schemas() as schemas:
        before = await left(superuser)
        for lost in (
            "DROP SCHEMA wte_{0} CASCADE",
            "ALTER ROLE wte_{0} NOLOGIN",
            "DROP TABLE wte_{0}.simulations CASCADE",
        ):
            key = new_key()
            await schemas.create(key)
            await superuser.fetch(lost.format(key.namespace))
            assert await schemas.exists(key.namespace)
            assert await schemas.all() == [key.namespace]
            if "TABLE" not in lost:
                await schemas.create(key)
                store = await schemas.open(key)
                assert await store.fetch("SELECT id FROM simulations") == []
                await store.close()
            await schemas.remove(key.namespace)
        assert await left(superuser) == before


async def test_its_role_owns_its_schema_and_is_nothing_else(installation: Installation) -> None:
    async with installation.schemas() as schemas:
        key = new_key()
        await schemas.create(key)
        store = await schemas.open(key)
        try:
            assert await store.fetch(
                "SELECT current_user::text AS me, current_schemas(false)::text AS path, rolsuper OR rolcreatedb OR"
                " rolcreaterole OR rolreplication OR rolbypassrls OR rolinherit AS mighty, rolconnlimit AS connections,"
                " current_setting('statement_timeout') AS statements, (SELECT count(*) FROM pg_auth_members"
                " WHERE member = r.oid) AS groups FROM pg_roles AS r WHERE rolname = current_user"
            ) == [
                {
                    "me": f"wte_{key.namespace}",
                    "path": f"{{wte_{key.namespace}}}",
                    "mighty": False,
                    "connections": 20,
                    "statements": "30s",
                    "groups": 0,
                }
            ]
        finally:
            await store.close()
            await schemas.remove(key.namespace)


async def test_it_may_see_nothing_of_production_and_of_others(installation: Installation, superuser: Store) -> None:
    tables = [row["name"] for row in await superuser.fetch(HOME_TABLES)]
    assert len(tables) > 20
    async with installation.schemas() as schemas:
        one, other = new_key(), new_key()
        await schemas.create(one)
        await schemas.create(other)
        store = await schemas.open(one)
        try:
            functions = await superuser.fetch(HOME_FUNCTIONS, f"wte_{one.namespace}")
            assert len(functions) > 20
            assert [function["name"] for function in functions if function["may"]] == []
            for forbidden in (
                *(f"SELECT 1 FROM public.{table}" for table in tables),
                *(f"DELETE FROM public.{table}" for table in tables),
                f"SELECT 1 FROM wte_{other.namespace}.simulations",
                f"CREATE TABLE wte_{other.namespace}.mine (id INTEGER)",
                f"DROP SCHEMA wte_{other.namespace} CASCADE",
                f"SET ROLE wte_{other.namespace}",
                f"ALTER ROLE wte_{other.namespace} NOLOGIN",
                "CREATE TABLE public.mine (id INTEGER)",
                "CREATE SCHEMA mine",
                "CREATE ROLE mine",
                "CREATE DATABASE mine",
                "CREATE TEMPORARY TABLE mine (id INTEGER)",
                "SET ROLE windtunnel_api",
                "SET ROLE windtunnel_system",
                f"SET ROLE {installation.owner}",
                f"ALTER ROLE wte_{one.namespace} SUPERUSER",
                f"ALTER ROLE wte_{one.namespace} CONNECTION LIMIT 1000",
                "SELECT rolpassword FROM pg_authid",
                "SELECT pg_read_file('postgresql.conf')",
                "COPY simulations TO PROGRAM 'cat'",
            ):
                with pytest.raises(RightError):
                    await store.fetch(forbidden)
        finally:
            await store.close()
            for key in (one, other):
                await schemas.remove(key.namespace)


async def test_nobody_else_may_see_it_or_make_one(installation: Installation) -> None:
    async with installation.opened(DatabaseRole.API) as api, installation.opened(DatabaseRole.WORKER) as worker:
        schemas, key = EnvironmentSchemas(worker), new_key()
        await schemas.create(key)
        try:
            for store in (api, worker):
                for forbidden in (
                    f"SELECT 1 FROM wte_{key.namespace}.simulations",
                    f"SET ROLE wte_{key.namespace}",
                    f"DROP SCHEMA wte_{key.namespace} CASCADE",
                    f"DROP ROLE wte_{key.namespace}",
                    f"GRANT wte_{key.namespace} TO windtunnel_worker",
                ):
                    with pytest.raises(RightError):
                        await store.fetch(forbidden)
            for forbidden in (
                f"SELECT windtunnel_create_environment('{new_namespace()}', '{scram_verifier('a')}')",
                f"SELECT windtunnel_close_environment('{key.namespace}')",
                f"SELECT windtunnel_drop_environment('{key.namespace}')",
            ):
                with pytest.raises(RightError):
                    await api.fetch(forbidden)
            place = await EnvironmentSchemas(api).open(key)  # with the password, anybody may
            assert await place.fetch("SELECT id FROM simulations") == []
            await place.close()
        finally:
            await schemas.remove(key.namespace)


@pytest.mark.parametrize(
    ("namespace", "verifier"),
    [
        ("", None),
        ("0123456789abcdeF", None),
        ("0123456789abcde", None),
        ("0123456789abcdef0", None),
        ("0123456789abcdef\n", None),
        ('x"; DROP SCHEMA p', None),
        ("0123456789abcdef", "in clear"),
        ("0123456789abcdef", "SCRAM-SHA-256$4096:YQ==$YQ==:YQ==' SUPERUSER"),
        ("0123456789abcdef", "md5" + 32 * "0"),
    ],
)
async def test_the_functions_take_nothing_else(
    installation: Installation, superuser: Store, namespace: str, verifier: str | None
) -> None:
    before = await left(superuser)
    async with installation.opened(DatabaseRole.WORKER) as worker:
        with pytest.raises(RightError):
            await worker.fetch(
                "SELECT windtunnel_create_environment($1, $2)", namespace, verifier or scram_verifier("a")
            )
        if verifier is None:
            for function in ("close", "drop"):
                with pytest.raises(RightError):
                    await worker.fetch(f"SELECT windtunnel_{function}_environment($1)", namespace)
    assert await left(superuser) == before


@pytest.mark.parametrize("kind", ["ROLE", "SCHEMA"])
async def test_what_is_called_like_ours_and_is_not_stays_as_it_is(
    installation: Installation, superuser: Store, kind: str
) -> None:
    key = new_key()
    await superuser.fetch(f"CREATE {kind} wte_{key.namespace}")
    before = await left(superuser)
    try:
        async with installation.schemas() as schemas:
            assert await schemas.exists(key.namespace)  # so nobody says that it is gone
            assert await schemas.all() == []
            with pytest.raises(UnavailableError, match="not ours"):
                await schemas.create(key)
            with pytest.raises(UnavailableError, match="not ours"):
                await schemas.remove(key.namespace)
        assert await left(superuser) == before
    finally:
        await superuser.fetch(f"DROP {kind} wte_{key.namespace}")


async def test_databases_of_one_server_leave_each_other_alone(
    installation: Installation, postgres_database_url: str
) -> None:
    elsewhere = await open_store(postgres_database_url)
    try:
        theirs = EnvironmentSchemas(elsewhere)
        async with installation.schemas() as schemas:
            key = new_key()
            await schemas.create(key)
            assert await theirs.all() == []
            with pytest.raises(UnavailableError, match="not ours"):
                await theirs.remove(key.namespace)
            assert await schemas.all() == [key.namespace]
            await schemas.remove(key.namespace)
    finally:
        await elsewhere.close()


async def test_who_works_in_it_is_ended(installation: Installation) -> None:
    async with installation.schemas() as schemas:
        key = new_key()
        await schemas.create(key)
        working, reading = await schemas.open(key), await schemas.open(key)
        removed = asyncio.Event()

        async def work() -> None:
            async with working.transaction("somebody"):
                await working.fetch("LOCK TABLE simulations IN ACCESS EXCLUSIVE MODE")
                await removed.wait()
                await working.fetch("SELECT 1")

        task = asyncio.create_task(work())
        await reading.ping()
        await schemas.remove(key.namespace)
        removed.set()
        with pytest.raises(UnavailableError):
            await task
        for store in (working, reading):
            with pytest.raises(UnavailableError):
                await store.fetch("SELECT id FROM simulations")
            await store.close()
        with pytest.raises(UnavailableError):
            await schemas.open(key)


async def test_who_does_not_end_is_told_of(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_schemas, "CLOSE_TIMEOUT_S", 0.0)
    async with installation.schemas() as schemas:
        key = new_key()
        await schemas.create(key)
        with pytest.raises(UnavailableError, match="do not end"):
            await schemas.remove(key.namespace)
        assert await schemas.exists(key.namespace)
        monkeypatch.undo()
        await schemas.remove(key.namespace)


async def test_a_tenants_lock_in_it_is_not_the_one_at_home(installation: Installation) -> None:
    async with installation.opened(DatabaseRole.WORKER) as home:
        schemas, key = EnvironmentSchemas(home), new_key()
        await schemas.create(key)
        place = await schemas.open(key)
        async with place.transaction("a tenant"), home.transaction("a tenant"), asyncio.timeout(5):
            await place.lock_tenant("a tenant")
            await home.lock_tenant("a tenant")
        await place.close()
        await schemas.remove(key.namespace)


async def test_nobody_keeps_a_connection_who_does_not_need_it(
    installation: Installation, superuser: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert postgres_access.IN_ENVIRONMENTS.idle_s <= 5
    monkeypatch.setattr(
        "windtunnel.storage.store.IN_ENVIRONMENTS", replace(postgres_access.IN_ENVIRONMENTS, idle_s=0.01)
    )
    async with installation.schemas() as schemas:
        key = new_key()
        await schemas.create(key)
        place = await schemas.open(key)
        role = f"wte_{key.namespace}"
        while (await superuser.fetch("SELECT count(*) AS n FROM pg_stat_activity WHERE usename = $1", role))[0]["n"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await place.fetch("SELECT id FROM simulations") == []  # it comes back
        await place.close()
        await schemas.remove(key.namespace)


@pytest.mark.parametrize("lost", ["ALTER ROLE {owner} NOCREATEROLE", "ALTER DATABASE {database} OWNER TO postgres"])
def test_an_owner_who_may_not_make_roles_or_schemas_is_told_of(
    postgres_url: str, postgres_template: str, lost: str
) -> None:
    del postgres_template

    async def story(found: Installation) -> None:
        async with found.schemas() as schemas:
            key = new_key()
            with pytest.raises(UnavailableError, match=r"CREATEROLE.*CREATE ON DATABASE"):
                await schemas.create(key)
            assert not await schemas.exists(key.namespace)

    with installed(postgres_url) as found:
        administer(postgres_url, lost.format(owner=found.owner, database=found.url.rpartition("/")[2]))
        asyncio.run(story(found))


def test_passwords_are_asked_for_and_are_in_no_log(postgres_server: PostgresServer) -> None:
    """On a server that trusts nobody but its superuser, and that logs every statement."""
    (postgres_server.data / "pg_hba.conf").write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    administer(
        postgres_server.url,
        "ALTER SYSTEM SET log_statement = 'all'",
        "ALTER SYSTEM SET log_parameter_max_length_on_error = -1",
        "SELECT pg_reload_conf()",
    )

    async def story(url: str) -> None:
        home = await open_store(url)
        try:
            schemas, key = EnvironmentSchemas(home), new_key()
            await schemas.create(key)
            await (await schemas.open(key)).close()
            with pytest.raises(UnavailableError):
                await schemas.open(EnvironmentKey(key.namespace, secrets.token_hex(32)))
            with pytest.raises(UnavailableError):
                await schemas.open(EnvironmentKey(key.namespace))
            await home.fetch("SELECT windtunnel_create_environment($1, $2)", key.namespace, scram_verifier("other"))
            with pytest.raises(UnavailableError):
                await schemas.open(key)
            await schemas.remove(key.namespace)
            assert any("windtunnel_create_environment" in line for line in postgres_server.log)
            assert not any(key.password in line for line in postgres_server.log)
        finally:
            await home.close()

    with postgres_database(postgres_server.url) as url:
        migrate_url(url)
        asyncio.run(story(url))


def test_no_function_can_be_called_by_all() -> None:
    assert {caller for function in FUNCTIONS for caller in function.callers} == {"worker"}
