"""Roles of PostgreSQL: an owner who is no superuser migrates; API and worker log in as users of their own."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.databases import administer, at_database, migrate_url
from tests.storage.worlds import demo, queued, scenario, stranger
from windtunnel.storage import leases, scenarios, tallies
from windtunnel.storage.errors import RightError, RoleError
from windtunnel.storage.migrations import ROLES
from windtunnel.storage.simulation_statements import CLAIM_SIMULATIONS
from windtunnel.storage.store import DatabaseRole, open_store


def logged_in_as(url: str, user: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}@{parts.hostname}:{parts.port}").geturl()


@contextmanager
def users(url: str, *rights: str) -> Iterator[list[str]]:
    """New users of the server at `url`, each with some rights."""
    names = [f"test_{secrets.token_hex(6)}" for _ in rights]
    administer(url, *(f"CREATE ROLE {name} LOGIN {right}" for name, right in zip(names, rights, strict=True)))
    try:
        yield names
    finally:
        administer(url, *(f"DROP OWNED BY {name} CASCADE" for name in names), *(f"DROP ROLE {name}" for name in names))


@contextmanager
def owned_database(server_url: str, owner: str) -> Iterator[str]:
    """A new, empty database that belongs to `owner`."""
    name = f"test_{secrets.token_hex(6)}"
    administer(server_url, f"CREATE DATABASE {name} OWNER {owner}")
    try:
        yield at_database(server_url, name)
    finally:
        administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def test_everything_works_without_a_superuser(postgres_url: str, postgres_template: str) -> None:
    del postgres_template  # the roles exist
    with users(postgres_url, "CREATEROLE", "", "") as (owner, api, worker):
        granted = ", ".join(ROLES)
        administer(
            postgres_url,
            f"GRANT {granted} TO {owner} WITH ADMIN OPTION",
            f"GRANT windtunnel_api TO {api}",
            f"GRANT windtunnel_worker TO {worker}",
        )
        with owned_database(postgres_url, owner) as url:
            migrate_url(logged_in_as(url, owner))
            _live(logged_in_as(url, api), logged_in_as(url, worker))


def _live(api_url: str, worker_url: str) -> None:
    async def story() -> None:
        api = await open_store(api_url, role=DatabaseRole.API)
        worker = await open_store(worker_url, role=DatabaseRole.WORKER)
        try:
            you, eve = await demo(api), await stranger(api)
            waiting = await queued(api, you, (await scenario(api, you)).id)
            await queued(api, eve, (await scenario(api, eve)).id)
            with pytest.raises(RightError):
                await api.privileged(CLAIM_SIMULATIONS, "api", 1_000, 10, 10)
            claimed = await leases.claim(worker, "worker", 10, 10)
            assert {one.tenant_id for one in claimed} == {you.tenant_id, eve.tenant_id}
            assert waiting.id in {one.id for one in claimed}
            assert await leases.renew(worker, "worker", {one.id: one.fence for one in claimed}) == {
                one.id for one in claimed
            }
            assert sum(one.simulations for one in await tallies.tally(api)) == 2
            for store in (api, worker):
                assert await store.fetch("SELECT id FROM scenarios") == []
                assert (
                    await store.of(eve.tenant_id).fetch("SELECT id FROM scenarios WHERE tenant_id = $1", you.tenant_id)
                    == []
                )
            for forbidden in (
                "UPDATE tenants SET name = 'Mine'",
                "UPDATE architectures SET body = '{}'",
                "DELETE FROM audit_entries",
                "UPDATE audit_entries SET reason = ''",
                "TRUNCATE audit_entries",
                "SET ROLE windtunnel_system",
                "ALTER TABLE scenarios DISABLE ROW LEVEL SECURITY",
                "DROP POLICY of_the_tenant ON scenarios",
            ):
                with pytest.raises(RightError):
                    await api.of(you.tenant_id).fetch(forbidden)
            with pytest.raises(RightError):
                await worker.of(you.tenant_id).fetch("SELECT digest FROM api_tokens")
            with pytest.raises(RightError):
                await worker.of(you.tenant_id).fetch(
                    "INSERT INTO memberships VALUES ($1, $2, 'ADMIN')", you.tenant_id, you.user.id
                )
            assert len(await scenarios.get_many(worker, you.tenant_id, [waiting.scenario_id or ""])) == 1
        finally:
            for store in (api, worker):
                await store.close()

    asyncio.run(story())


def test_an_owner_without_the_right_to_make_roles_is_told_what_to_do(postgres_url: str, postgres_template: str) -> None:
    del postgres_template
    with (
        users(postgres_url, "") as (owner,),
        owned_database(postgres_url, owner) as url,
        pytest.raises(RoleError, match="WITH ADMIN OPTION"),
    ):
        migrate_url(logged_in_as(url, owner))


def test_a_user_who_may_not_act_as_the_role_is_told(postgres_database_url: str) -> None:
    with users(postgres_database_url, "") as (nobody,), pytest.raises(RoleError, match="GRANT windtunnel_api TO"):
        asyncio.run(open_store(logged_in_as(postgres_database_url, nobody), role=DatabaseRole.API))
