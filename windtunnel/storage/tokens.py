"""API tokens: everything but their secrets."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.people import known_roles
from windtunnel.domain.tokens import ApiToken
from windtunnel.domain.viewers import Role
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import milliseconds, moment, optional_milliseconds, optional_moment

_COLUMNS = "id, tenant_id, user_id, issued_by, name, prefix, roles, created_ms, expires_ms, last_used_ms, issued_with"
_VALID = "revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > {now})"
_CHAINS = (
    "WITH RECURSIVE chain (id, user_id, issued_by, issued_with) AS ("
    " SELECT id, user_id, issued_by, issued_with FROM api_tokens WHERE {first}"
    " UNION SELECT chain.id, t.user_id, t.issued_by, t.issued_with FROM chain"
    " JOIN api_tokens AS t ON t.tenant_id = $1 AND t.id = chain.issued_with"
    ") SELECT id, user_id, issued_by FROM chain"
)
"""Each token of `first` with its person and issuer, and with those of the token by which it was issued, and so on."""


async def insert(store: Store, token: ApiToken, digest: str) -> None:
    """Store a new token with the digest of its secret."""
    await store.of(token.tenant_id).fetch(
        "INSERT INTO api_tokens"
        " (id, tenant_id, user_id, issued_by, name, prefix, digest, roles, created_ms, expires_ms, issued_with)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        token.id,
        token.tenant_id,
        token.user_id,
        token.issued_by,
        token.name,
        token.prefix,
        digest,
        orjson.dumps([role.value for role in Role if role in token.roles]).decode(),
        milliseconds(token.created_at),
        optional_milliseconds(token.expires_at),
        token.issued_with,
    )


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, ApiToken]:
    """Those of the tenant's tokens that exist, by id, also when they are revoked or expired."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM api_tokens WHERE tenant_id = $1 AND id = ANY($2)",  # noqa: S608
        tenant_id,
        known,
    )
    return {row["id"]: _token(row) for row in rows}


async def roles_of_holder(store: Store, tenant_id: str, id: str) -> frozenset[Role]:
    """What the person of a token may do in the tenant; nothing when the token cannot be used now."""
    rows = await store.of(tenant_id).fetch(
        "SELECT m.role FROM api_tokens AS t JOIN memberships AS m ON m.tenant_id = t.tenant_id"  # noqa: S608
        f" AND m.user_id = t.user_id WHERE t.tenant_id = $1 AND t.id = $2 AND {_VALID}",
        tenant_id,
        id,
    )
    return known_roles([row["role"] for row in rows])


async def list_valid(store: Store, tenant_id: str) -> list[ApiToken]:
    """The tenant's tokens that can be used now, newest first."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM api_tokens WHERE tenant_id = $1 AND {_VALID} ORDER BY created_ms DESC, id DESC",  # noqa: S608
        tenant_id,
    )
    return [_token(row) for row in rows]


async def people_behind(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """Everybody who may be acting by each of these tokens: its person, and who issued it, and who was behind that."""
    found: dict[str, set[str]] = {}
    if known := known_ids(ids):
        rows = await store.of(tenant_id).fetch(
            _CHAINS.format(first="tenant_id = $1 AND id = ANY($2)"),
            tenant_id,
            known,
        )
        for row in rows:
            found.setdefault(row["id"], set()).update((row["user_id"], row["issued_by"]))
    return {id_: frozenset(people) for id_, people in found.items()}


async def entangled(store: Store, tenant_id: str, user_id: str) -> frozenset[str]:
    """Everybody who may be acting as this person, or this person as them, by tokens that are valid now."""
    rows = await store.of(tenant_id).fetch(_CHAINS.format(first=f"tenant_id = $1 AND {_VALID}"), tenant_id)
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["id"], set()).update((row["user_id"], row["issued_by"]))
    return frozenset().union(*(people for people in found.values() if user_id in people)) - {user_id}


async def count_valid(store: Store, tenant_id: str) -> int:
    """How many of the tenant's tokens can be used now."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT COUNT(*) AS valid FROM api_tokens WHERE tenant_id = $1 AND {_VALID}",  # noqa: S608
        tenant_id,
    )
    valid: int = rows[0]["valid"]
    return valid


async def revoke(store: Store, tenant_id: str, id: str) -> bool:
    """Take a token back for good; False when there is none that could be."""
    if not known_ids([id]):
        return False
    rows = await store.of(tenant_id).fetch(
        "UPDATE api_tokens SET revoked_ms = {now} WHERE tenant_id = $1 AND id = $2 AND revoked_ms IS NULL RETURNING id",
        tenant_id,
        id,
    )
    return bool(rows)


async def used(store: Store, tenant_id: str, id: str, *, at_most_every_ms: int) -> None:
    """Note that a token is used now, unless that was noted less than `at_most_every_ms` ago."""
    await store.of(tenant_id).fetch(
        "UPDATE api_tokens SET last_used_ms = {now} WHERE tenant_id = $1 AND id = $2"
        " AND (last_used_ms IS NULL OR last_used_ms <= {now} - $3)",
        tenant_id,
        id,
        at_most_every_ms,
    )


def _token(row: dict[str, Any]) -> ApiToken:
    return ApiToken(
        id=row["id"],
        tenant_id=row["tenant_id"],
        user_id=row["user_id"],
        issued_by=row["issued_by"],
        name=row["name"],
        prefix=row["prefix"],
        roles=known_roles(orjson.loads(row["roles"])),
        created_at=moment(row["created_ms"]),
        expires_at=optional_moment(row["expires_ms"]),
        last_used_at=optional_moment(row["last_used_ms"]),
        issued_with=row["issued_with"],
    )
