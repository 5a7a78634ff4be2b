"""Issuing and revoking tokens: within the person's roles, told once, on record."""

from datetime import timedelta

import orjson
import pytest

from tests.operations.world import demo, process
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    QuotaError,
    ValidationError,
)
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import TOKENS_PER_TENANT
from windtunnel.domain.tokens import digest_of
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.issue_api_token import TokenRequest, issue_api_token
from windtunnel.operations.revoke_api_token import revoke_api_token
from windtunnel.operations.services import Services
from windtunnel.storage import audit, people, sign_in, tokens

ROBOT = TokenRequest("robot", [Role.DEVELOPER, Role.AUDITOR])


async def trail(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1000))


async def test_a_token_is_issued_told_and_on_record(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        issued = await issue_api_token(services, viewer, ROBOT)
        assert issued.secret
        assert issued.secret.startswith("wt_")
        assert issued.secret.startswith(issued.token.prefix)
        assert len(issued.token.prefix) == 11
        holder = await sign_in.by_token(services.store, digest_of(issued.secret))
        assert holder
        assert holder.viewer.user == viewer.user
        assert holder.viewer.roles == {Role.DEVELOPER, Role.AUDITOR}
        (entry,) = await trail(services, viewer)
        assert (entry.action, entry.subject_id, entry.actor_id) == (
            AuditAction.TOKEN_ISSUED,
            issued.token.id,
            viewer.user.id,
        )
        assert orjson.loads(entry.details) == {
            "name": "robot",
            "prefix": issued.token.prefix,
            "roles": ["AUDITOR", "DEVELOPER"],
            "userId": Subject(Kind.USER, viewer.user.id).global_id,
            "expiresAt": None,
        }


async def test_a_replay_gives_the_token_without_its_secret(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        first = await issue_api_token(services, viewer, ROBOT, "key")
        again = await issue_api_token(services, viewer, TokenRequest("robot", [Role.AUDITOR, Role.DEVELOPER]), "key")
        assert (again.token, again.secret) == (first.token, None)
        assert len(await tokens.list_valid(services.store, viewer.tenant_id)) == 1
        with pytest.raises(ConflictError):
            await issue_api_token(services, viewer, TokenRequest("another", ROBOT.roles), "key")


async def test_a_token_for_somebody_else_names_both(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, other = await demo(services), await stranger(services.store)
        auditor = Viewer(viewer.user, viewer.tenant, frozenset({Role.AUDITOR}))
        bo = (await colleague(services.store, auditor)).user
        request = TokenRequest("robot", [Role.OPERATOR], user_id=bo.id)
        with pytest.raises(PolicyError, match="who lacks OPERATOR") as refused:
            await issue_api_token(services, viewer, request)
        assert (refused.value.policy, refused.value.path) == ("roles_of_the_person", ("input", "roles"))
        async with services.store.transaction(viewer.tenant_id):
            await people.set_roles(services.store, viewer.tenant_id, bo.id, {Role.OPERATOR})
        token = (await issue_api_token(services, viewer, request)).token
        assert (token.user_id, token.issued_by) == (bo.id, viewer.user.id)
        for missing in (other.user.id, new_id()):
            with pytest.raises(NotFoundError) as unknown:
                await issue_api_token(services, viewer, TokenRequest("robot", [Role.OPERATOR], user_id=missing))
            assert unknown.value.path == ("input", "user_id")


@pytest.mark.parametrize(
    ("request_", "rule", "field"),
    [
        (TokenRequest("", [Role.ADMIN]), "token_name_length", "name"),
        (TokenRequest(" ", [Role.ADMIN]), "token_name_length", "name"),
        (TokenRequest("x" * 101, [Role.ADMIN]), "token_name_length", "name"),
        (TokenRequest("\0", [Role.ADMIN]), "string_unstorable", "name"),
        (TokenRequest("robot", []), "no_roles", "roles"),
    ],
)
async def test_what_cannot_be_a_token_is_refused(
    sqlite_url: str, request_: TokenRequest, rule: str, field: str
) -> None:
    async with process(sqlite_url) as services:
        with pytest.raises(ValidationError) as refused:
            await issue_api_token(services, await demo(services), request_)
        assert (refused.value.rule, refused.value.path) == (rule, ("input", field))


async def test_an_end_lies_ahead_on_the_clock_of_the_store(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        end = await services.store.now() + timedelta(hours=1)
        assert (await issue_api_token(services, viewer, TokenRequest("robot", [Role.ADMIN], end))).token.expires_at
        services.store.clock_offset = timedelta(hours=1)
        with pytest.raises(ValidationError, match="future") as refused:
            await issue_api_token(services, viewer, TokenRequest("robot", [Role.ADMIN], end))
        assert refused.value.path == ("input", "expires_at")


async def test_there_are_only_so_many_tokens(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        token = (await issue_api_token(services, viewer, ROBOT)).token
        async with services.store.transaction(viewer.tenant_id):
            await services.store.of(viewer.tenant_id).execute_many(
                "INSERT INTO api_tokens (id, tenant_id, user_id, issued_by, name, prefix, digest, roles, created_ms)"
                " VALUES ($1, $2, $3, $3, 'x', 'wt_', $4, '[]', 0)",
                [
                    (new_id(), viewer.tenant_id, viewer.user.id, f"{number:064}")
                    for number in range(TOKENS_PER_TENANT - 1)
                ],
            )
        with pytest.raises(QuotaError):
            await issue_api_token(services, viewer, ROBOT)
        await revoke_api_token(services, viewer, token.id)
        assert await issue_api_token(services, viewer, ROBOT)


async def test_a_token_is_revoked_once_and_on_record(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, other = await demo(services), await stranger(services.store)
        issued = await issue_api_token(services, viewer, ROBOT)
        for missing in (issued.token.id, new_id()):
            with pytest.raises(NotFoundError) as unknown:
                await revoke_api_token(services, other, missing)
            assert unknown.value.path == ("input", "token_id")
        assert await revoke_api_token(services, viewer, issued.token.id) == issued.token.id
        assert await revoke_api_token(services, viewer, issued.token.id) == issued.token.id
        assert issued.secret
        assert await sign_in.by_token(services.store, digest_of(issued.secret)) is None
        entries = await trail(services, viewer)
        assert [entry.action for entry in entries] == [AuditAction.TOKEN_ISSUED, AuditAction.TOKEN_REVOKED]
        assert entries[1].subject_id == issued.token.id


async def test_only_an_admin_issues_and_revokes(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        token = (await issue_api_token(services, viewer, ROBOT)).token
        nearly = Viewer(viewer.user, viewer.tenant, frozenset(Role) - {Role.ADMIN})
        with pytest.raises(ForbiddenError):
            await issue_api_token(services, nearly, ROBOT)
        with pytest.raises(ForbiddenError):
            await revoke_api_token(services, nearly, token.id)
        denied = (await trail(services, viewer))[1:]
        assert [(entry.action, entry.subject_id) for entry in denied] == [
            (AuditAction.ACCESS_DENIED, viewer.tenant_id),
            (AuditAction.ACCESS_DENIED, token.id),
        ]


async def test_the_secret_is_kept_nowhere(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        issued = await issue_api_token(services, viewer, ROBOT, "key")
        tables = await services.store.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        rows = [row for table in tables for row in await services.store.fetch(f"SELECT * FROM {table['name']}")]
        kept = repr(rows)
        assert issued.secret
        assert issued.secret[len("wt_") + 8 :] not in kept
        assert digest_of(issued.secret) in kept
