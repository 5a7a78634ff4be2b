"""Roles of people: set as a whole, people made when missing, and always an ADMIN left."""

import orjson
import pytest

from tests.operations.test_api_tokens import trail
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.errors import ConflictError, ForbiddenError, PolicyError, ValidationError
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.set_member_roles import set_member_roles
from windtunnel.storage import people


async def test_roles_are_set_and_on_record(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, other = await demo(services), await stranger(services.store)
        ada = await set_member_roles(services, viewer, " Ada@Example.org ", [Role.AUDITOR, Role.DEVELOPER])
        assert (ada.email, ada.name) == ("ada@example.org", "ada")
        assert await set_member_roles(services, viewer, "ada@example.org", [Role.OPERATOR]) == ada
        assert await people.roles(services.store, viewer.tenant_id, ada.id) == {Role.OPERATOR}
        assert await people.of_email(services.store, other.tenant_id, "ada@example.org") is None
        entries = await trail(services, viewer)
        assert [(entry.action, entry.subject_id) for entry in entries] == [(AuditAction.MEMBER_ROLES_SET, ada.id)] * 2
        assert [orjson.loads(entry.details) for entry in entries] == [
            {"before": [], "after": ["AUDITOR", "DEVELOPER"]},
            {"before": ["AUDITOR", "DEVELOPER"], "after": ["OPERATOR"]},
        ]
        await set_member_roles(services, viewer, "ada@example.org", [Role.OPERATOR], "key")
        await set_member_roles(services, viewer, "bob@example.org", [])
        await set_member_roles(services, viewer, "bob@example.org", [])
        added = [orjson.loads(entry.details) for entry in (await trail(services, viewer))[2:]]
        assert added == [{"before": [], "after": []}]  # there was no such person before


async def test_the_last_admin_stays_one(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        assert viewer.user.email
        with pytest.raises(PolicyError, match="last ADMIN") as refused:
            await set_member_roles(services, viewer, viewer.user.email, [Role.DEVELOPER])
        assert (refused.value.policy, refused.value.path) == ("last_admin", ("input", "roles"))
        assert await people.roles(services.store, viewer.tenant_id, viewer.user.id) == frozenset(Role)
        await set_member_roles(services, viewer, viewer.user.email, [Role.ADMIN])
        ada = await set_member_roles(services, viewer, "ada@example.org", [Role.ADMIN])
        await set_member_roles(services, viewer, viewer.user.email, [])
        with pytest.raises(PolicyError):
            await set_member_roles(services, Viewer(ada, viewer.tenant, frozenset(Role)), "ada@example.org", [])


async def test_a_replay_changes_nothing(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        ada = await set_member_roles(services, viewer, "ada@example.org", [Role.ADMIN], "key")
        await set_member_roles(services, viewer, "ada@example.org", [])
        assert await set_member_roles(services, viewer, "ADA@example.org", [Role.ADMIN], "key") == ada
        assert await people.roles(services.store, viewer.tenant_id, ada.id) == frozenset()
        with pytest.raises(ConflictError):
            await set_member_roles(services, viewer, "ada@example.org", [Role.AUDITOR], "key")


@pytest.mark.parametrize("email", ["", "ada", "@", "ada@", "@example.org", "a b@c", "a@b\0", "x" * 250 + "@b.de"])
async def test_what_is_no_address_is_refused(sqlite_url: str, email: str) -> None:
    async with process(sqlite_url) as services:
        with pytest.raises(ValidationError) as refused:
            await set_member_roles(services, await demo(services), email, [])
        assert (refused.value.rule, refused.value.path) == ("email", ("input", "email"))


async def test_only_an_admin_sets_roles(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        with pytest.raises(ForbiddenError):
            await set_member_roles(
                services,
                Viewer(viewer.user, viewer.tenant, frozenset(Role) - {Role.ADMIN}),
                "you@demo.local",
                list(Role),
            )
