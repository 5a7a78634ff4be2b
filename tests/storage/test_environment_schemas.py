"""Schemas of environments: made by workers for an owner who is no superuser, and gone in the end."""

import asyncio
import secrets
from dataclasses import replace
from functools import partial
from urllib.parse import quote

import pytest

from tests.databases import migrate_url
from tests.storage.installations import Installation, installation, left, new_key, superuser
from tests.storage.test_roles import logged_in_as
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage import environment_schemas, postgres_access
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.errors import DependedOnError
from windtunnel.storage.store import DatabaseRole, Store

__all__ = ["installation", "superuser"]


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


async def test_what_else_belongs_to_it_is_named(installation: Installation, superuser: Store) -> None:
    async with installation.schemas() as schemas:
        before, key = await left(superuser), new_key()
        await schemas.create(key)
        other = f"owned_{secrets.token_hex(4)}"
        await superuser.fetch(f"CREATE DATABASE {other} OWNER wte_{key.namespace}")
        try:
            with pytest.raises(DependedOnError, match=f"owner of database {other}"):
                await schemas.remove(key.namespace)
            assert await schemas.exists(key.namespace)
        finally:
            await superuser.fetch(f"DROP DATABASE {other}")
        await schemas.remove(key.namespace)
        assert await left(superuser) == before


async def test_a_tenants_lock_in_it_is_not_the_one_at_home(installation: Installation) -> None:
    async with installation.opened(DatabaseRole.WORKER) as home:
        schemas, key = EnvironmentSchemas(home), new_key()
        await schemas.create(key)
        place = await schemas.open(key)
        async with place.transaction("a tenant"), home.transaction("a tenant"), asyncio.timeout(60):
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
        while await superuser.fetch("SELECT pid FROM pg_stat_activity WHERE usename = $1", role):
            continue
        assert await place.fetch("SELECT id FROM simulations") == []  # it comes back
        await place.close()
        await schemas.remove(key.namespace)


async def test_home_may_be_any_schema_of_any_url(installation: Installation, superuser: Store) -> None:
    home = f"home_{secrets.token_hex(4)}"
    await superuser.fetch(f'CREATE SCHEMA "{home} ' + "'s\" " + f"AUTHORIZATION {installation.owner}")
    schema = quote(f'"{home} \'s"')
    url = f"{installation.url}?search_path={schema}"
    migrate = partial(migrate_url, logged_in_as(url, installation.owner))
    await asyncio.to_thread(migrate)
    async with installation.schemas() as beside:
        elsewhere = replace(installation, url=url)
        async with elsewhere.schemas() as schemas:
            key = new_key()
            await schemas.create(key)
            place = await schemas.open(key)
            rows = await place.fetch("SELECT current_schemas(false)::text AS path")
            assert rows == [{"path": f"{{wte_{key.namespace}}}"}]
            await place.close()
            assert await schemas.all() == [key.namespace]
            assert await beside.all() == []
            with pytest.raises(UnavailableError, match="not ours"):
                await beside.remove(key.namespace)
            await schemas.remove(key.namespace)
            assert await schemas.all() == []
