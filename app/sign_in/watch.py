"""Ends what people follow when their token or their roles have ended: one look at the database for all of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from app.sign_in.sessions import Session, SignInError
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.viewers import NO_ROLE, Role
from windtunnel.operations.announce import ACCESS
from windtunnel.streams.hub import Hub
from windtunnel.streams.listener import Listener

LOOK_EVERY_S = 2.0
EXPIRED = "The token has expired."
ENDED = "The token was revoked or has expired."
FEWER_ROLES = "A role was taken away."

T = TypeVar("T")
Ask = Callable[[Collection[str], Collection[str]], Awaitable[Mapping[str, frozenset[Role]]]]
"""The roles that tokens, and people who came without one of ours, have now, by id; without those that are over."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class _Hold:
    session: Session
    end: Callable[[str], None]

    @property
    def key(self) -> str:
        viewer = self.session.viewer
        return viewer.token_id or viewer.user.id


class Watch:
    """Everything that is followed in this process by somebody who signed in."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._holds: set[_Hold] = set()
        self._in_use = asyncio.Event()

    @contextmanager
    def hold(self, session: Session, end: Callable[[str], None]) -> Iterator[None]:
        """Within, `end` is called with the reason when the session ends: at its expiry, or soon after it was ended."""
        hold = _Hold(session, end)
        timer = None
        if (left := session.seconds_left) is not None:
            timer = asyncio.get_running_loop().call_later(max(0.0, left), end, EXPIRED)
        if session.is_checked:
            self._holds.add(hold)
            self._in_use.set()
        try:
            yield
        finally:
            self._holds.discard(hold)
            if timer:
                timer.cancel()

    @asynccontextmanager
    async def lasting(self, session: Session) -> AsyncIterator[None]:
        """Within, the task is interrupted by SignInError, with the reason, when the session ends."""
        ended: list[str] = []
        try:
            async with asyncio.timeout(None) as timeout:

                def end(reason: str) -> None:
                    if not ended:
                        timeout.reschedule(asyncio.get_running_loop().time())
                    ended.append(reason)

                with self.hold(session, end):
                    yield
        except TimeoutError:
            if ended and timeout.expired():
                raise SignInError(ended[0]) from None
            raise

    async def look(self) -> None:
        """End what must end now: one statement, whatever number is followed. Raises UnavailableError."""
        holds = list(self._holds)
        if not holds:
            self._in_use.clear()
            return
        tokens = {hold.key for hold in holds if hold.session.viewer.token_id}
        people = {hold.key for hold in holds if not hold.session.viewer.token_id}
        roles = await self._ask(tokens, people)
        for hold in holds:
            if hold in self._holds and (reason := _ended(hold, roles)):
                self._holds.discard(hold)  # told once
                hold.end(reason)

    @asynccontextmanager
    async def looking(self, hub: Hub) -> AsyncIterator[None]:
        """Look every LOOK_EVERY_S, and whenever a process announces that access was taken away."""
        task = asyncio.create_task(self._keep_looking(hub), name="sign-in watch")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_looking(self, hub: Hub) -> None:
        with suppress(UnavailableError):  # the hub is closing, and everybody is sent away
            async with hub.bell(ACCESS) as bell:
                while True:
                    await self._in_use.wait()
                    await _rest(bell)
                    try:
                        await self.look()
                    except UnavailableError as error:  # nothing is followed without a database, either
                        log.warning("tokens cannot be checked", reason=error.message)


async def while_signed_in(
    watch: Watch, session: Session | None, source: AsyncGenerator[T, None]
) -> AsyncGenerator[T, None]:
    """The items of `source`, which the caller closes, for as long as the session lasts; SignInError when it ends."""
    if session is None or not session.can_end:
        async for item in source:
            yield item
        return
    wait = _Wait()
    with watch.hold(session, wait.end), suppress(StopAsyncIteration):
        while True:
            yield await wait.next(source)


class _Wait:
    """Waits for what comes next from a source, but no longer than until `end`."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._timeout: asyncio.Timeout | None = None

    def end(self, reason: str) -> None:
        if self._reason is None and self._timeout:
            self._timeout.reschedule(asyncio.get_running_loop().time())
        self._reason = self._reason or reason

    async def next(self, source: AsyncGenerator[T, None]) -> T:
        """The next item. Raises StopAsyncIteration after the last one, and SignInError with the reason of the end."""
        if self._reason:
            raise SignInError(self._reason)
        try:
            async with asyncio.timeout(None) as timeout:
                self._timeout = timeout
                try:
                    return await anext(source)
                finally:
                    self._timeout = None
        except TimeoutError:
            if self._reason and timeout.expired():
                raise SignInError(self._reason) from None
            raise


def _ended(hold: _Hold, roles: Mapping[str, frozenset[Role]]) -> str | None:
    now = roles.get(hold.key)
    if now is None:
        return ENDED
    if not now:
        return NO_ROLE
    return None if hold.session.viewer.roles <= now else FEWER_ROLES


async def _rest(bell: Listener[Any]) -> None:
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            await bell.wait()
    except TimeoutError:
        return
