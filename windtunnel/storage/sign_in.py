"""Signing in: whose secret is this, who is this person to their issuer, and are they still let in?"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from windtunnel.domain.people import known_roles
from windtunnel.domain.tokens import effective_roles
from windtunnel.domain.viewers import Role, Tenant, User, Viewer
from windtunnel.storage.sign_in_statements import (
    SIGN_IN_BY_IDENTITY,
    SIGN_IN_BY_TOKEN,
    STILL_SIGNED_IN,
    TENANT_OF_TOKEN,
    TOKENS_WITH_PREFIX,
)
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom a token signs in, with the roles that token and person share; `at` is now, on the store's clock."""

    viewer: Viewer
    at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """A person whom an issuer names, with all their roles, and what it told of these last: when, and which."""

    user: User
    tenant: Tenant
    roles: frozenset[Role]
    told_at: datetime
    told_roles: frozenset[Role] | None


async def by_token(store: Store, digest: str) -> TokenHolder | None:
    """Whom the token with this digest signs in, None when there is none that is valid now."""
    rows = await store.privileged(SIGN_IN_BY_TOKEN, digest)
    if not rows:
        return None
    first = rows[0]
    roles = effective_roles(_roles_in(first["token_roles"]) or (), _roles(rows))
    return TokenHolder(
        viewer=Viewer(_user(first), _tenant(first), roles, token_id=first["token_id"]),
        at=moment(first["now_ms"]),
        expires_at=optional_moment(first["expires_ms"]),
        last_used_at=optional_moment(first["last_used_ms"]),
    )


async def by_identity(store: Store, slug: str, issuer: str, subject: str) -> tuple[datetime, Known | None]:
    """Now, on the store's clock, and the person whom the issuer calls so in this tenant, None when they are new."""
    rows = await store.privileged(SIGN_IN_BY_IDENTITY, slug, issuer, subject)
    first = rows[0]
    at = moment(first["now_ms"])
    if first["user_id"] is None:
        return at, None
    told_at, told_roles = moment(first["told_ms"]), _roles_in(first["told_roles"])
    return at, Known(_user(first), _tenant(first), _roles(rows), told_at, told_roles)


async def still_signed_in(
    store: Store, token_ids: Collection[str], user_ids: Collection[str]
) -> Mapping[str, frozenset[Role]]:
    """The roles that these tokens, and these people who came without one, have now; without those that are over."""
    held: dict[str, tuple[frozenset[Role] | None, set[Role]]] = {}
    for row in await store.privileged(STILL_SIGNED_IN, list(token_ids), list(user_ids)):
        _, of_person = held.setdefault(row["id"], (_roles_in(row["token_roles"]), set()))
        of_person |= _roles([row])
    return {
        id_: frozenset(of_person) if of_token is None else effective_roles(of_token, of_person)
        for id_, (of_token, of_person) in held.items()
    }


async def tenant_of_token(store: Store, token_id: str) -> str | None:
    """The id of the tenant that the token belongs to."""
    rows = await store.privileged(TENANT_OF_TOKEN, token_id) if known_ids([token_id]) else []
    return rows[0]["tenant_id"] if rows else None


async def tokens_with_prefix(store: Store, prefix: str) -> list[str]:
    """The ids of all tokens whose secret begins so, whichever tenant they belong to."""
    return [row["id"] for row in await store.privileged(TOKENS_WITH_PREFIX, prefix)]


def _roles(rows: list[dict[str, Any]]) -> frozenset[Role]:
    return known_roles([row["role"] for row in rows])


def _roles_in(json: str | None) -> frozenset[Role] | None:
    return None if json is None else known_roles(orjson.loads(json))


def _user(row: dict[str, Any]) -> User:
    return User(id=row["user_id"], tenant_id=row["tenant_id"], name=row["user_name"], email=row["email"])


def _tenant(row: dict[str, Any]) -> Tenant:
    return Tenant(id=row["tenant_id"], slug=row["slug"], name=row["tenant_name"])
