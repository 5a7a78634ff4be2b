"""People of a tenant: one for each address, known to issuers by names of their own."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.storage.worlds import demo, stranger
from windtunnel.domain.viewers import Role
from windtunnel.storage import people, sign_in
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store

ISSUER = "https://login.example"
TOLD = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_an_address_names_one_person_of_a_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    ada = await people.ensure(store, viewer.tenant_id, "ada@example.org", "Ada")
    assert await people.ensure(store, viewer.tenant_id, "ada@example.org", "Somebody else") == ada
    assert await people.of_email(store, other.tenant_id, "ada@example.org") is None
    assert (await people.ensure(store, other.tenant_id, "ada@example.org", "Ada")).id != ada.id
    with pytest.raises(ConstraintError):
        await people.add(store, viewer.tenant_id, "Ada", "ada@example.org")


async def test_roles_are_set_and_added(store: Store) -> None:
    viewer = await demo(store)
    ada = await people.add(store, viewer.tenant_id, "Ada", None)
    assert await people.roles(store, viewer.tenant_id, ada.id) == frozenset()
    async with store.transaction(viewer.tenant_id):
        await people.set_roles(store, viewer.tenant_id, ada.id, {Role.ADMIN, Role.AUDITOR})
        await people.add_roles(store, viewer.tenant_id, ada.id, {Role.AUDITOR, Role.OPERATOR})
    assert await people.roles(store, viewer.tenant_id, ada.id) == {Role.ADMIN, Role.AUDITOR, Role.OPERATOR}
    assert await people.others_with_role(store, viewer.tenant_id, ada.id, Role.ADMIN)
    async with store.transaction(viewer.tenant_id):
        await people.set_roles(store, viewer.tenant_id, ada.id, ())
        await people.set_roles(store, viewer.tenant_id, viewer.user.id, {Role.ADMIN})
    assert await people.roles(store, viewer.tenant_id, ada.id) == frozenset()
    assert not await people.others_with_role(store, viewer.tenant_id, viewer.user.id, Role.ADMIN)


async def test_an_issuer_names_a_person_in_each_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    now, known = await sign_in.by_identity(store, viewer.tenant.slug, ISSUER, "ada")
    assert known is None
    assert abs(now - await store.now()) < timedelta(minutes=1)
    await people.note_identity(store, viewer.user, ISSUER, "ada", told_at=TOLD, told_roles={Role.ADMIN})
    await people.note_identity(store, other.user, ISSUER, "ada", told_at=TOLD, told_roles=None)
    _, mine = await sign_in.by_identity(store, viewer.tenant.slug, ISSUER, "ada")
    _, theirs = await sign_in.by_identity(store, other.tenant.slug, ISSUER, "ada")
    assert mine == sign_in.Known(viewer.user, viewer.tenant, frozenset(Role), TOLD, frozenset({Role.ADMIN}))
    assert theirs == sign_in.Known(other.user, other.tenant, frozenset(Role), TOLD, None)
    for slug, issuer, subject in (
        ("unknown", ISSUER, "ada"),
        (viewer.tenant.slug, "https://other.example", "ada"),
        (viewer.tenant.slug, ISSUER, "bo"),
    ):
        assert (await sign_in.by_identity(store, slug, issuer, subject))[1] is None
    later = TOLD + timedelta(hours=1)
    await people.note_identity(store, viewer.user, ISSUER, "ada", told_at=later, told_roles=())
    _, mine = await sign_in.by_identity(store, viewer.tenant.slug, ISSUER, "ada")
    assert mine
    assert (mine.told_at, mine.told_roles) == (later, frozenset())
