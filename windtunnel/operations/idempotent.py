"""Acting once: whoever asks again with the same idempotency key gets what the first request led to.

    async def issue_api_token(services, viewer, request):
        await permit(services, viewer, Action.ISSUE_API_TOKEN)
        check_request(request)

        async def issue() -> Done[Issued]:
            ...  # rule, change, notify, audit: all of it in the transaction that `once` has begun
            return Done(token.id, Issued(token, secret))

        outcome = await once(services, viewer, Asked(Action.ISSUE_API_TOKEN, request.key, asdict(request)), issue)
        if outcome.made is None:  # asked before: the secret is not told again
            return Issued(await _stored(outcome.result_id), secret=None)
        ...  # announcement
        return outcome.made

A key belongs to one operation of one person in one tenant. Two people who happen to choose the same key do not meet:
neither is handed what the other asked for, nor told that the other has asked.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Generic, TypeVar

from windtunnel.domain.entities import Subject
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import IDEMPOTENCY_KEY_MAX_CHARS
from windtunnel.domain.scenarios import check_storable
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import idempotency

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: `what` holds everything that makes a difference to the result, as plain values.

    Without a key every request is a new one. `subject` is what a refusal is recorded about, None for the tenant.
    """

    action: Action
    key: str | None
    what: Mapping[str, object]
    subject: Subject | None = None

    @property
    def digest(self) -> str:
        """Equal for requests that ask for the same."""
        return sha256(json.dumps(self.what, sort_keys=True, default=_plain).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What acting led to: the stored id by which it is found again, and whatever the caller goes on with."""

    result_id: str
    value: T


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The id of the result; `made` is the value of `Done`, None when the same was asked for before."""

    result_id: str
    made: T | None


async def once(services: Services, viewer: Viewer, asked: Asked, act: Callable[[], Awaitable[Done[T]]]) -> Outcome[T]:
    """Act, unless the viewer did so within the last 24 hours with the same key, which then gives that result.

    `act` runs in a transaction of the tenant, under its lock: of two requests at once the second finds what the first
    has done, and whoever may not act any longer is refused. When it raises, nothing is stored and the key stays free.
    Raises ForbiddenError, ValidationError for a key that cannot be one, and ConflictError (IDEMPOTENCY_MISMATCH) for
    a key that was used for something else.
    """
    check_key(asked.key)
    store, tenant_id = services.home.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, asked.action, asked.subject):
        if asked.key is None:
            done = await act()
            return Outcome(done.result_id, done.value)
        use = idempotency.Use(tenant_id, viewer.user.id, asked.action.value, asked.key, asked.digest)
        if known := await idempotency.recall(store, use):
            return Outcome(known, None)
        done = await act()
        await idempotency.remember(store, use, done.result_id)
        return Outcome(done.result_id, done.value)


def check_key(key: str | None) -> None:
    """Raise ValidationError unless it can serve as an idempotency key."""
    path = ("input", "idempotency_key")
    if key is None:
        return
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_MAX_CHARS:
        raise ValidationError(
            f"An idempotency key has 1 to {IDEMPOTENCY_KEY_MAX_CHARS} characters.",
            rule="idempotency_key_length",
            path=path,
        )
    check_storable(key, path)


def _plain(value: object) -> object:
    """What JSON has no form for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be part of what is asked for")
