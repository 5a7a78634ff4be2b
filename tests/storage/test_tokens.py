"""API tokens: found by the digest of their secret while they count, and their secrets nowhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.queries import counted
from tests.storage.worlds import colleague, demo, stranger
from windtunnel.domain.ids import new_id
from windtunnel.domain.tokens import ApiToken, digest_of, new_secret, prefix_of
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage import people, sign_in, tokens
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store

SECOND = timedelta(seconds=1)


async def issued(
    store: Store, viewer: Viewer, roles: frozenset[Role] = frozenset({Role.DEVELOPER}), lasts: timedelta | None = None
) -> tuple[ApiToken, str]:
    secret, now = new_secret(), await store.now()
    token = ApiToken(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        user_id=viewer.user.id,
        issued_by=viewer.user.id,
        name="robot",
        prefix=prefix_of(secret),
        roles=roles,
        created_at=now,
        expires_at=None if lasts is None else now + lasts,
    )
    await tokens.insert(store, token, digest_of(secret))
    return token, secret


async def test_a_token_signs_its_person_in(store: Store) -> None:
    viewer = await demo(store)
    token, secret = await issued(store, viewer, lasts=SECOND)
    with counted(store) as statements:
        holder = await sign_in.by_token(store, digest_of(secret))
    assert len(statements) == 1
    assert holder
    assert holder.viewer == replace(viewer, roles=frozenset({Role.DEVELOPER}), token_id=token.id)
    assert holder.expires_at == token.expires_at
    assert holder.last_used_at is None
    assert timedelta(0) <= holder.at - token.created_at < timedelta(minutes=1)
    assert await sign_in.by_token(store, digest_of(new_secret())) is None


async def test_a_token_has_at_most_the_roles_of_its_person(store: Store) -> None:
    viewer = await demo(store)
    token, secret = await issued(store, viewer, frozenset({Role.ADMIN, Role.AUDITOR}))
    async with store.transaction(viewer.tenant_id):
        await people.set_roles(store, viewer.tenant_id, viewer.user.id, {Role.AUDITOR, Role.OPERATOR})
    holder = await sign_in.by_token(store, digest_of(secret))
    assert holder
    assert holder.viewer.roles == {Role.AUDITOR}
    async with store.transaction(viewer.tenant_id):
        await people.set_roles(store, viewer.tenant_id, viewer.user.id, ())
    holder = await sign_in.by_token(store, digest_of(secret))
    assert holder
    assert holder.viewer.roles == frozenset()
    assert await sign_in.still_signed_in(store, [token.id], [viewer.user.id]) == {
        token.id: frozenset(),
        viewer.user.id: frozenset(),
    }


async def test_a_token_ends_with_its_time(store: Store) -> None:
    viewer = await demo(store)
    token, secret = await issued(store, viewer, lasts=timedelta(hours=1))
    store.clock_offset = timedelta(minutes=59)
    assert await sign_in.by_token(store, digest_of(secret))
    assert await tokens.list_valid(store, viewer.tenant_id) == [token]
    store.clock_offset = timedelta(minutes=61)
    assert await sign_in.by_token(store, digest_of(secret)) is None
    assert await tokens.list_valid(store, viewer.tenant_id) == []
    assert await tokens.count_valid(store, viewer.tenant_id) == 0
    assert await sign_in.still_signed_in(store, [token.id], []) == {}
    assert await tokens.get_many(store, viewer.tenant_id, [token.id]) == {token.id: token}


async def test_a_revoked_token_ends_at_once_and_once(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    token, secret = await issued(store, viewer)
    kept, _ = await issued(store, viewer)
    assert not await tokens.revoke(store, other.tenant_id, token.id)
    assert await sign_in.still_signed_in(store, [token.id, kept.id], []) == {
        token.id: {Role.DEVELOPER},
        kept.id: {Role.DEVELOPER},
    }
    assert await tokens.revoke(store, viewer.tenant_id, token.id)
    assert not await tokens.revoke(store, viewer.tenant_id, token.id)
    assert await sign_in.by_token(store, digest_of(secret)) is None
    assert await sign_in.still_signed_in(store, [token.id, kept.id], []) == {kept.id: {Role.DEVELOPER}}
    assert await tokens.list_valid(store, viewer.tenant_id) == [kept]


async def test_one_look_serves_everybody(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    mine = [(await issued(store, viewer))[0].id for _ in range(20)]
    theirs, _ = await issued(store, other)
    with counted(store) as statements:
        alive = await sign_in.still_signed_in(store, [*mine, theirs.id, new_id()], [viewer.user.id, new_id()])
    assert len(statements) == 1
    assert alive == {id_: {Role.DEVELOPER} for id_ in [*mine, theirs.id]} | {viewer.user.id: frozenset(Role)}


async def test_use_is_noted_once_in_a_while(store: Store) -> None:
    viewer = await demo(store)
    token, secret = await issued(store, viewer)
    await tokens.used(store, viewer.tenant_id, token.id, at_most_every_ms=60_000)
    first = await sign_in.by_token(store, digest_of(secret))
    store.clock_offset = timedelta(seconds=59)
    await tokens.used(store, viewer.tenant_id, token.id, at_most_every_ms=60_000)
    second = await sign_in.by_token(store, digest_of(secret))
    store.clock_offset = timedelta(seconds=120)
    await tokens.used(store, viewer.tenant_id, token.id, at_most_every_ms=60_000)
    third = await sign_in.by_token(store, digest_of(secret))
    assert first
    assert second
    assert third
    assert first.last_used_at
    assert third.last_used_at
    assert first.last_used_at == second.last_used_at
    assert third.last_used_at - first.last_used_at >= timedelta(seconds=60)


async def test_tokens_of_a_tenant_are_seen_by_no_other(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    token, _ = await issued(store, viewer)
    assert await tokens.get_many(store, other.tenant_id, [token.id]) == {}
    assert await tokens.list_valid(store, other.tenant_id) == []
    assert await sign_in.tenant_of_token(store, token.id) == viewer.tenant_id
    assert await sign_in.tenant_of_token(store, "\0") is None


async def test_a_token_belongs_to_people_of_its_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    token, _ = await issued(store, viewer)
    for wrong in (
        replace(token, id=new_id(), user_id=other.user.id),
        replace(token, id=new_id(), issued_by=other.user.id),
        replace(token, id=new_id(), expires_at=token.created_at),
    ):
        with pytest.raises(ConstraintError):
            await tokens.insert(store, wrong, digest_of(new_secret()))
    bo = await colleague(store, viewer)
    await tokens.insert(store, replace(token, id=new_id(), issued_by=bo.user.id), digest_of(new_secret()))


async def test_secrets_are_never_the_same(store: Store) -> None:
    viewer = await demo(store)
    token, secret = await issued(store, viewer)
    with pytest.raises(ConstraintError):
        await tokens.insert(store, replace(token, id=new_id()), digest_of(secret))
    assert len({new_secret() for _ in range(100)}) == 100
