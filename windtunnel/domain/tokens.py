"""API tokens: what a person gives a program, so that it may act for them."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from windtunnel.domain.viewers import Role

TOKEN_MARK = "wt_"  # noqa: S105 - how every secret begins, so that people and scanners know it when they see one
SECRET_BYTES = 32
PREFIX_CHARS = len(TOKEN_MARK) + 8
_PREFIX = re.compile(rf"{TOKEN_MARK}[0-9a-f]{{8}}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret, of which only a digest is kept. It can do at most what its person can.

    `issued_by` differs from `user_id` when it was issued in somebody else's name; `issued_with` is the token by which
    that one came, if it was by one.
    """

    id: str
    tenant_id: str
    user_id: str
    issued_by: str
    name: str
    prefix: str
    roles: frozenset[Role]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    issued_with: str | None = None


def new_secret() -> str:
    """A secret that nobody can guess: 256 random bits behind our mark."""
    return TOKEN_MARK + secrets.token_hex(SECRET_BYTES)


def prefix_of(secret: str) -> str:
    """Its beginning, by which people tell their tokens apart; what follows still has 224 bits."""
    return secret[:PREFIX_CHARS]


def has_prefix(text: str) -> bool:
    """Whether it begins as a secret does, with all of the prefix."""
    return _PREFIX.match(text) is not None


def digest_of(secret: str) -> str:
    """What is stored. No salt and no stretching: nobody guesses 256 random bits, and it must be found by an index."""
    return sha256(secret.encode()).hexdigest()


def effective_roles(of_token: Iterable[Role], of_person: Iterable[Role]) -> frozenset[Role]:
    """What a token may do now: what it was given, as far as its person still may."""
    return frozenset(of_token) & frozenset(of_person)
