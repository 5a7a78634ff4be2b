"""The keys of an OpenID provider: kept, renewed beside the work, and looked up anew when it signs with another one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

import structlog

from windtunnel.domain.errors import UnavailableError

K = TypeVar("K")

FRESH_S = 300.0
STALE_S = 3_600.0
"""How long known keys go on while the provider is down."""
FETCH_EVERY_S = 5.0
"""At most so often, whatever keys are asked for."""

UNREACHABLE = "The sign-in provider cannot be reached right now. Try again in a moment."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Named(Generic[K]):
    """A key and its `kid`, if it has one."""

    kid: str | None
    key: K


class KeyCache(Generic[K]):
    """The keys that `fetch` brings (it raises UnavailableError); `clock` counts seconds."""

    def __init__(
        self, fetch: Callable[[], Awaitable[Sequence[Named[K]]]], clock: Callable[[], float] = monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Sequence[Named[K]] = ()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> list[K]:
        """The keys that may have signed what names `kid`; all of them when it names none.

        An unknown one is asked for, once in a while. Raises UnavailableError while there are no keys to look through.
        """
        age = self._clock() - self._fetched_at
        if age > STALE_S:
            await self._renew()
        elif age > FRESH_S:
            self._begin()
        found = self._known(kid)
        if not found and self._may_fetch():
            with suppress(UnavailableError):
                await self._renew()
            found = self._known(kid)
        return found

    def renew_soon(self) -> None:
        """Fetch beside the work; a provider that is down is asked again when somebody comes."""
        self._begin()

    async def close(self) -> None:
        """Leave no task behind."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _known(self, kid: str | None) -> list[K]:
        return [named.key for named in self._keys if kid is None or named.kid == kid]

    def _may_fetch(self) -> bool:
        return self._fetching is not None or self._clock() - self._tried_at >= FETCH_EVERY_S

    async def _renew(self) -> None:
        """Fetch, together with everybody who waits for the same."""
        try:
            if task := self._begin():
                await asyncio.shield(task)
                return
        except UnavailableError as error:  # what is wrong is for the log
            raise UnavailableError(UNREACHABLE) from error
        raise UnavailableError(UNREACHABLE)

    def _begin(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None when it is too early for one."""
        if self._fetching is None and self._may_fetch():
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch_once(), name="fetch keys")
            self._fetching.add_done_callback(_told)
        return self._fetching

    async def _fetch_once(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched_at = self._clock()
        finally:
            self._fetching = None


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("keys of the sign-in provider not renewed", reason=str(error))
