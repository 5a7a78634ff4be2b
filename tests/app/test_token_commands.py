"""`windtunnel token`: a secret alone on standard output, one clear line on bad input."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from schema.ids import Kind, raw_of
from windtunnel.domain.errors import NotFoundError, ValidationError, WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.domain.tokens import digest_of
from windtunnel.domain.viewers import Role
from windtunnel.operations.provide_token import provide_token
from windtunnel.operations.withdraw_token import withdraw_token_by_prefix
from windtunnel.storage import audit, people, sign_in, tokens
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


def test_a_token_is_revoked_by_its_id_or_its_prefix(database_url: str, runner: asyncio.Runner, store: Store) -> None:
    forms: list[Callable[[str, str], str]] = [
        lambda id_, secret: id_,
        lambda id_, secret: str(raw_of(Kind.API_TOKEN, id_)),
        lambda id_, secret: secret[:11],
        lambda id_, secret: f"{secret[:11]}...",
        lambda id_, secret: secret,
        lambda id_, secret: f"Bearer {secret}",
    ]
    for form in forms:
        secret, id_ = created(database_url, *ADA, "--role", "ADMIN")
        assert runner.run(holder(store, secret))
        called = f"{id_} ({secret[:11]}...)"
        for said in (f"Revoked token {called}.\n", f"Token {called} was revoked before.\n"):
            result = run(database_url, "revoke", form(id_, secret))
            assert (result.exit_code, result.output) == (0, said)
            assert runner.run(holder(store, secret)) is None
    tenant = runner.run(sign_in.tenant_of_token(store, str(raw_of(Kind.API_TOKEN, id_))))
    assert tenant
    entries = runner.run(audit.read(store, tenant, 0, 50))
    assert [entry.action for entry in entries].count("TOKEN_REVOKED") == len(forms)


def test_a_secret_is_never_repeated(sqlite_url: str) -> None:
    for secret in ("wt_" + "0" * 64, "wt_hunter2", "Bearer wt_hunter2", "wt_"):
        result = run(sqlite_url, "revoke", secret)
        assert isinstance(result.exception, NotFoundError | ValidationError)
        assert "hunter2" not in f"{result.exception}{result.output}"
        assert "0000" not in f"{result.exception}{result.output}"


async def test_a_prefix_of_two_tokens_revokes_neither(store: Store) -> None:
    issued = [await provide_token(store, "acme", "a@b.de", [Role.ADMIN], name="one") for _ in range(2)]
    for each in issued:
        twin = replace(each.token, id=new_id(), prefix="wt_00000000")
        await tokens.insert(store, twin, digest_of(twin.id))
    with pytest.raises(ValidationError, match="Several tokens have this prefix: give the id of one"):
        await withdraw_token_by_prefix(store, "wt_00000000")
    assert len(await tokens.list_valid(store, issued[0].token.tenant_id)) == 4


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create",), "--tenant SLUG --user EMAIL --role ROLE"),
        (("create", "--tenant", "acme", "--user", "a@b.de"), "--role ROLE"),
        (("create", *ADA, "--role", "KING"), "--role 'KING' is not a role; there are DEVELOPER"),
        (
            ("create", "--tenant", "A B", "--user", "a@b.de", "--role", "ADMIN"),
            "--tenant 'A B' is refused: A slug has 1 to 63 lower",
        ),
        (
            ("create", "--tenant", "acme", "--user", "ada", "--role", "ADMIN"),
            "--user 'ada' is refused: This is not an e-mail address",
        ),
        (("create", *ADA, "--role", "ADMIN", "--expires", "tomorrow"), "'tomorrow' is not an ISO 8601 duration"),
        (("create", *ADA, "--role", "ADMIN", "--expires", "-PT1H"), "in the future"),
        (("create", *ADA, "--role", "ADMIN", "--expires", "P999999999D"), "cannot last that long"),
        (("create", *ADA, "--role", "ADMIN", "--name", " "), "name of 1 to 100"),
        (("revoke", "rubbish"), "'rubbish' is neither the id of a token nor its prefix"),
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
