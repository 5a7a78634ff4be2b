"""Making an API token, whoever asks for it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import QuotaError, ValidationError
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import TOKEN_NAME_MAX_CHARS, TOKENS_PER_TENANT
from windtunnel.domain.scenarios import check_storable
from windtunnel.domain.tokens import ApiToken, digest_of, new_secret, prefix_of
from windtunnel.domain.viewers import Role, User
from windtunnel.storage import tokens
from windtunnel.storage.store import Store

EXPIRES_AT = ("input", "expires_at")


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and, the one time that it is told, its secret."""

    token: ApiToken
    secret: str | None


def check_name(name: str, path: tuple[str, ...] | None = None) -> str:
    """What a token is for, without blanks around it. Raises ValidationError."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= TOKEN_NAME_MAX_CHARS:
        raise ValidationError(
            f"A token has a name of 1 to {TOKEN_NAME_MAX_CHARS} characters.", rule="token_name_length", path=path
        )
    check_storable(trimmed, path or ())
    return trimmed


async def mint(
    store: Store,
    holder: User,
    *,
    issued_by: str,
    name: str,
    roles: Collection[Role],
    expires_at: datetime | None,
    issued_with: str | None = None,
) -> Issued:
    """Inside a transaction that holds the tenant's lock: a new token of `holder`; `issued_with` is the issuer's own.

    Raises ValidationError for an end that has passed, and QuotaError.
    """
    now = await store.now()
    if expires_at is not None and expires_at - now < timedelta(milliseconds=1):
        raise ValidationError("A token must expire in the future.", rule="in_the_past", path=EXPIRES_AT)
    valid = await tokens.count_valid(store, holder.tenant_id)
    if valid >= TOKENS_PER_TENANT:
        raise QuotaError(
            f"A tenant has at most {TOKENS_PER_TENANT} valid tokens. Revoke those that nobody uses.",
            limit=TOKENS_PER_TENANT,
            used=valid,
        )
    secret = new_secret()
    token = ApiToken(
        id=new_id(),
        tenant_id=holder.tenant_id,
        user_id=holder.id,
        issued_by=issued_by,
        name=name,
        prefix=prefix_of(secret),
        roles=frozenset(roles),
        created_at=now,
        expires_at=expires_at,
        issued_with=issued_with,
    )
    await tokens.insert(store, token, digest_of(secret))
    return Issued(token, secret)


def on_record(token: ApiToken) -> Mapping[str, object]:
    """What the audit log keeps of a token."""
    return {
        "name": token.name,
        "prefix": token.prefix,
        "userId": Subject(Kind.USER, token.user_id),
        "roles": sorted(token.roles),
        "expiresAt": token.expires_at,
    }
