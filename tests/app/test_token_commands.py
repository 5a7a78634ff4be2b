"""`windtunnel token`: a secret alone on standard output, one clear line on bad input."""

import asyncio
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from schema.ids import Kind, raw_of
from windtunnel.domain.errors import NotFoundError, ValidationError, WindtunnelError
from windtunnel.domain.tokens import digest_of
from windtunnel.domain.viewers import Role
from windtunnel.storage import audit, people, sign_in
from windtunnel.storage.sign_in import TokenHolder
from windtunnel.storage.store import Store, open_store

ADA = ("--tenant", "acme", "--user", "Ada@Acme.example")


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["token", *arguments], env={"WINDTUNNEL_DATABASE_URL": url})


def created(url: str, *arguments: str) -> tuple[str, str]:
    """The secret, and the id that is told beside it."""
    result = run(url, "create", *arguments)
    assert result.exit_code == 0, result.output
    (secret,) = result.stdout.splitlines()
    (told,) = result.stderr.splitlines()
    assert secret.startswith("wt_")
    assert secret not in told
    return secret, told.split()[1]


async def holder(store: Store, secret: str) -> TokenHolder | None:
    return await sign_in.by_token(store, digest_of(secret))


def test_a_token_is_created_with_all_that_it_needs(database_url: str, runner: asyncio.Runner, store: Store) -> None:
    secret, _ = created(database_url, *ADA, "--role", "DEVELOPER", "--role", "auditor", "--expires", "PT24H")
    found = runner.run(holder(store, secret))
    assert found
    assert found.viewer.tenant.slug == "acme"
    assert found.viewer.user.email == "ada@acme.example"
    assert found.viewer.roles == {Role.DEVELOPER, Role.AUDITOR}
    assert found.expires_at
    assert timedelta(hours=23) < found.expires_at - found.at <= timedelta(hours=24)
    more, _ = created(database_url, *ADA, "--role", "ADMIN")
    again = runner.run(holder(store, more))
    assert again
    assert again.viewer.user == found.viewer.user
    assert again.viewer.roles == {Role.ADMIN}
    assert again.expires_at is None
    held = runner.run(people.roles(store, found.viewer.tenant_id, found.viewer.user.id))
    assert held == {Role.DEVELOPER, Role.AUDITOR, Role.ADMIN}
    entries = runner.run(audit.read(store, found.viewer.tenant_id, 0, 10))
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        ("MEMBER_ROLES_SET", None),
        ("TOKEN_ISSUED", None),
    ] * 2


def test_a_token_is_revoked_by_its_id(database_url: str, runner: asyncio.Runner, store: Store) -> None:
    for form in (lambda id_: id_, lambda id_: str(raw_of(Kind.API_TOKEN, id_))):
        secret, id_ = created(database_url, *ADA, "--role", "ADMIN")
        assert runner.run(holder(store, secret))
        for _ in range(2):
            result = run(database_url, "revoke", form(id_))
            assert (result.exit_code, result.output) == (0, "")
            assert runner.run(holder(store, secret)) is None
    tenant = runner.run(sign_in.tenant_of_token(store, str(raw_of(Kind.API_TOKEN, id_))))
    assert tenant
    entries = runner.run(audit.read(store, tenant, 0, 10))
    assert [entry.action for entry in entries].count("TOKEN_REVOKED") == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create",), "--tenant SLUG --user EMAIL --role ROLE"),
        (("create", "--tenant", "acme", "--user", "a@b.de"), "--role ROLE"),
        (("create", *ADA, "--role", "KING"), "'KING' is not a role; there are DEVELOPER"),
        (("create", "--tenant", "A B", "--user", "a@b.de", "--role", "ADMIN"), "cannot name a tenant"),
        (("create", "--tenant", "acme", "--user", "ada", "--role", "ADMIN"), "not an e-mail address"),
        (("create", *ADA, "--role", "ADMIN", "--expires", "tomorrow"), "'tomorrow' is not an ISO 8601 duration"),
        (("create", *ADA, "--role", "ADMIN", "--expires", "-PT1H"), "in the future"),
        (("create", *ADA, "--role", "ADMIN", "--expires", "P999999999D"), "cannot last that long"),
        (("create", *ADA, "--role", "ADMIN", "--name", " "), "name of 1 to 100"),
        (("revoke", "rubbish"), "'rubbish' is not the id of a token"),
        (("revoke", "01938f2c-7b1e-7abc-8def-0123456789ab"), "no such token"),
    ],
)
def test_bad_input_is_one_clear_line(sqlite_url: str, arguments: tuple[str, ...], reason: str) -> None:
    result = run(sqlite_url, *arguments)
    assert isinstance(result.exception, WindtunnelError)
    assert isinstance(result.exception, ValidationError | NotFoundError)
    assert reason in str(result.exception)
    assert "\n" not in str(result.exception)
    assert result.output == ""


def test_a_shifted_clock_shifts_the_end(sqlite_url: str, runner: asyncio.Runner) -> None:
    shifted = {
        "WINDTUNNEL_DATABASE_URL": sqlite_url,
        "WINDTUNNEL_TEST_CLOCK": "1",
        "WINDTUNNEL_CLOCK_OFFSET": "-PT25H",
    }
    result = CliRunner().invoke(cli, ["token", "create", *ADA, "--role", "ADMIN", "--expires", "PT24H"], env=shifted)
    assert result.exit_code == 0, result.output

    async def is_valid(offset: timedelta) -> bool:
        store = await open_store(sqlite_url, clock_offset=offset)
        try:
            return await holder(store, result.stdout.strip()) is not None
        finally:
            await store.close()

    assert runner.run(is_valid(timedelta(hours=-25)))
    assert not runner.run(is_valid(timedelta(0)))
