"""Who may do what with the schemas of environments: each environment with its own, workers make and remove them."""

import asyncio
import secrets

import pytest

from tests.databases import administer, migrate_url, postgres_database
from tests.servers import PostgresServer
from tests.storage.installations import Installation, installation, installed, left, new_key, superuser
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.errors import RightError
from windtunnel.storage.schema_functions import FUNCTIONS
from windtunnel.storage.scram import scram_verifier
from windtunnel.storage.store import DatabaseRole, Store, open_store

__all__ = ["installation", "superuser"]

HOME_TABLES = (
    "SELECT c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'm', 'S')"
)
HOME_FUNCTIONS = (
    "SELECT p.oid::regprocedure::text AS name, has_function_privilege($1, p.oid, 'EXECUTE') AS may FROM pg_proc AS p"
    " JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'public'"
)


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
