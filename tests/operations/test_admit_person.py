"""People of an OpenID provider: known from their first visit, with the roles that it tells of last."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from structlog.typing import EventDict

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.people import Vouched
from windtunnel.domain.viewers import Role
from windtunnel.operations.admit_person import admit_person
from windtunnel.storage import audit, people
from windtunnel.storage.store import Store, open_store

TOLD = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADA = Vouched(
    issuer="https://login.example",
    subject="ada",
    slug="acme",
    name="Ada",
    email="ada@acme.example",
    roles=frozenset({Role.ADMIN}),
    told_at=TOLD,
)
BO = replace(ADA, subject="bo", name="Bo", email="bo@acme.example")


async def test_tenant_and_person_are_made_when_missing(store: Store) -> None:
    known = await admit_person(store, ADA)
    assert (known.tenant.slug, known.user.name, known.user.email) == ("acme", "Ada", "ada@acme.example")
    assert known.roles == {Role.ADMIN}
    assert await admit_person(store, ADA) == known
    (entry,) = await audit.read(store, known.tenant.id, 0, 10)
    assert (entry.action, entry.actor_id, entry.subject_id) == (AuditAction.MEMBER_ROLES_SET, None, known.user.id)
    assert orjson.loads(entry.details) == {"before": [], "after": ["ADMIN"], "issuer": ADA.issuer}


async def test_visits_at_once_make_one_person(database_url: str) -> None:
    one, two = await open_store(database_url), await open_store(database_url)
    try:
        admitted = await asyncio.gather(*(admit_person(store, ADA) for store in (one, two) * 4))
        assert len({known.user.id for known in admitted}) == 1
        assert len({known.tenant.id for known in admitted}) == 1
    finally:
        await one.close()
        await two.close()


async def test_the_newest_word_counts(store: Store) -> None:
    known = await admit_person(store, ADA)
    await admit_person(store, BO)
    later = replace(ADA, told_at=TOLD + timedelta(seconds=1), roles=frozenset({Role.AUDITOR, Role.OPERATOR}))
    assert (await admit_person(store, later)).roles == later.roles
    assert (await admit_person(store, ADA)).roles == later.roles
    assert ADA.roles_of(later.roles or frozenset()) == frozenset()
    in_the_same_second = replace(later, roles=frozenset({Role.AUDITOR}))
    assert (await admit_person(store, in_the_same_second)).roles == {Role.AUDITOR}
    async with store.transaction(known.tenant.id):
        await people.set_roles(store, known.tenant.id, known.user.id, {Role.DEVELOPER})
    assert (await admit_person(store, in_the_same_second)).roles == {Role.DEVELOPER}
    assert in_the_same_second.roles_of(frozenset({Role.DEVELOPER})) == frozenset()


async def test_a_tenant_keeps_its_last_admin(store: Store, logs: list[EventDict]) -> None:
    await admit_person(store, ADA)
    nothing = replace(ADA, told_at=TOLD + timedelta(seconds=1), roles=frozenset())
    kept = await admit_person(store, nothing)
    assert kept.roles == {Role.ADMIN}
    assert nothing.roles_of(kept.roles) == frozenset()
    again = await admit_person(store, replace(nothing, told_at=TOLD + timedelta(seconds=2)))
    assert again.roles == {Role.ADMIN}
    assert [(entry["event"], entry["tenant"]) for entry in logs] == [("last ADMIN kept", "acme")]
    auditor = replace(ADA, told_at=TOLD + timedelta(seconds=3), roles=frozenset({Role.AUDITOR}))
    assert (await admit_person(store, auditor)).roles == {Role.ADMIN, Role.AUDITOR}
    await admit_person(store, BO)
    assert (await admit_person(store, replace(nothing, told_at=TOLD + timedelta(seconds=4)))).roles == frozenset()
    assert len(await audit.read(store, kept.tenant.id, 0, 10)) == 4


async def test_an_issuer_that_tells_nothing_of_roles_changes_none(store: Store) -> None:
    silent = replace(ADA, roles=None)
    known = await admit_person(store, silent)
    assert known.roles == frozenset()
    async with store.transaction(known.tenant.id):
        await people.set_roles(store, known.tenant.id, known.user.id, {Role.OPERATOR})
    again = await admit_person(store, replace(silent, told_at=TOLD + timedelta(seconds=1)))
    assert again.roles == {Role.OPERATOR}
    assert silent.roles_of(again.roles) == {Role.OPERATOR}


async def test_only_a_verified_address_makes_two_the_same(store: Store) -> None:
    known = await admit_person(store, ADA)
    elsewhere = await admit_person(store, replace(ADA, issuer="https://other.example", subject="7"))
    unverified = await admit_person(store, replace(ADA, subject="somebody", email=None))
    assert elsewhere.user == known.user
    assert unverified.user.id != known.user.id
    assert unverified.user.email is None
    assert unverified.tenant == known.tenant


async def test_a_person_of_one_tenant_is_another_one_elsewhere(store: Store) -> None:
    known, abroad = await admit_person(store, ADA), await admit_person(store, replace(ADA, slug="other"))
    assert abroad.tenant.id != known.tenant.id
    assert abroad.user.id != known.user.id
