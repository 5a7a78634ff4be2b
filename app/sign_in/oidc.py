"""Signing in by tokens of an OpenID provider: people and tenants are known from their first visit on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from joserfc.jwk import Key

from app.sign_in.jwt import BadTokenError, JwtReader, moment_of
from app.sign_in.keys import KeyCache
from app.sign_in.provider import Provider
from app.sign_in.sessions import Authenticate, Session
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import SUBJECT_MAX_CHARS, Vouched, email_of, is_slug, known_roles, name_from
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.admit_person import admit_person
from windtunnel.storage import sign_in
from windtunnel.storage.store import Store

log = structlog.get_logger()


@asynccontextmanager
async def issued_by(issuer: str, audience: str, store: Store) -> AsyncIterator[Authenticate]:
    """The sign-in of people whom `issuer` vouches for to `audience`; its keys are fetched beside the work."""
    provider = Provider(issuer)
    keys: KeyCache[Key] = KeyCache(provider.keys)
    reader = JwtReader(keys, issuer, audience)

    async def authenticate(token: str | None) -> Session | None:
        try:
            return await _admitted(store, reader, issuer, token) if token else None
        except BadTokenError as error:
            log.info("token refused", reason=str(error))
            return None

    keys.renew_soon()
    try:
        yield authenticate
    finally:
        await keys.close()
        await provider.close()


async def _admitted(store: Store, reader: JwtReader, issuer: str, token: str) -> Session:
    claims = await reader.signed(token)
    slug, subject = _text(claims, "tenant"), _text(claims, "sub")
    if not is_slug(slug):
        raise BadTokenError("its claim `tenant` is not the slug of a tenant")
    if not 1 <= len(subject) <= SUBJECT_MAX_CHARS or not subject.isprintable():
        raise BadTokenError("its claim `sub` cannot name anybody")
    now, known = await sign_in.by_identity(store, slug, issuer, subject)
    reader.check(claims, now)
    vouched = _vouched(claims, issuer, slug, subject)
    if known is None or vouched.is_news(known.told_at, known.told_roles):
        known = await admit_person(store, vouched)
    viewer = Viewer(known.user, known.tenant, vouched.roles_of(known.roles))
    return Session(viewer, now, moment_of(claims["exp"]))


def _vouched(claims: dict[str, Any], issuer: str, slug: str, subject: str) -> Vouched:
    email = None
    if claims.get("email_verified") is True and isinstance(claims.get("email"), str):
        email = _address(claims["email"])
    return Vouched(
        issuer=issuer,
        subject=subject,
        slug=slug,
        name=name_from(claims.get("name"), claims.get("preferred_username"), email, subject, fallback="Somebody"),
        email=email,
        roles=known_roles(claims["roles"]) if "roles" in claims else None,
        told_at=moment_of(int(claims["iat"])),
    )


def _address(text: str) -> str | None:
    try:
        return email_of(text)
    except ValidationError:
        return None


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
