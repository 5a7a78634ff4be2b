"""What is followed ends with the token, with its time, and with a role that is taken away."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Authenticate, Session, SignInError
from app.sign_in.watch import ENDED, EXPIRED, FEWER_ROLES, Watch, while_signed_in
from tests.waiting import a_moment
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.viewers import NO_ROLE, Role, Tenant, User, Viewer
from windtunnel.operations.announce import announce_access
from windtunnel.streams.bus import open_bus
from windtunnel.streams.hub import Hub

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ADA = Viewer(User("ada", "t", "Ada", None), Tenant("t", "t", "T"), frozenset({Role.ADMIN, Role.AUDITOR}))


class Access:
    """Who may do what now; counts how often it was asked."""

    def __init__(self, **roles: set[Role]) -> None:
        self.roles: dict[str, frozenset[Role]] = {key: frozenset(held) for key, held in roles.items()}
        self.asked: list[tuple[set[str], set[str]]] = []
        self.looked = asyncio.Event()
        self.up = True
        self.watch = Watch(self._ask)

    async def _ask(self, tokens: Collection[str], people: Collection[str]) -> Mapping[str, frozenset[Role]]:
        self.asked.append((set(tokens), set(people)))
        self.looked.set()
        if not self.up:
            raise UnavailableError("down")
        return self.roles


def by_token(id_: str, lasts: timedelta | None = None) -> Session:
    return Session(replace(ADA, token_id=id_), NOW, None if lasts is None else NOW + lasts)


async def numbers(waiting: asyncio.Event) -> AsyncGenerator[int, None]:
    yield 1
    await waiting.wait()
    yield 2


async def test_all_are_asked_about_in_one_breath() -> None:
    access = Access(one={Role.ADMIN, Role.AUDITOR}, two={Role.AUDITOR}, ada=set(Role))
    ended: dict[str, list[str]] = {"one": [], "two": [], "three": [], "ada": []}
    with ExitStack() as stack:
        for id_ in ("one", "two", "three"):
            stack.enter_context(access.watch.hold(by_token(id_), ended[id_].append))
        stack.enter_context(access.watch.hold(Session(ADA), ended["ada"].append))
        stack.enter_context(access.watch.hold(Session(ADA, is_checked=False), ended["ada"].append))
        await access.watch.look()
        await access.watch.look()
        del access.roles["ada"]
        await access.watch.look()
    await access.watch.look()
    assert access.asked[0] == ({"one", "two", "three"}, {"ada"})
    assert access.asked[1] == ({"one"}, {"ada"})
    assert len(access.asked) == 3
    assert ended == {"one": [], "two": [FEWER_ROLES], "three": [ENDED], "ada": [ENDED]}


async def test_without_a_role_nobody_comes_in_or_stays() -> None:
    access, ended = Access(one=set(), ada=set()), list[str]()
    for viewer in (replace(ADA, roles=frozenset(), token_id="one"), replace(ADA, roles=frozenset())):
        entrance = Entrance(_always(Session(viewer)), access.watch)
        for given in (None, "Bearer token"):
            with pytest.raises(SignInError, match=NO_ROLE):
                await entrance.session_of(given)
        with access.watch.hold(Session(viewer), ended.append), access.watch.hold(Session(ADA), ended.append):
            await access.watch.look()
    assert ended == [NO_ROLE] * 4


def _always(session: Session) -> Authenticate:
    async def authenticate(_: str | None) -> Session:
        return session

    return authenticate


async def test_a_stream_ends_while_it_waits() -> None:
    access, seen = Access(token={Role.ADMIN, Role.AUDITOR}), []
    source = numbers(asyncio.Event())
    stream = while_signed_in(access.watch, by_token("token"), source)
    seen.append(await anext(stream))
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await access.watch.look()
    assert not waiting.done()
    access.roles["token"] = frozenset({Role.ADMIN})
    await access.watch.look()
    with pytest.raises(SignInError, match=FEWER_ROLES):
        await waiting
    assert seen == [1]
    await access.watch.look()
    assert len(access.asked) == 2


async def test_a_stream_ends_while_its_client_is_slow() -> None:
    access, waiting = Access(), asyncio.Event()
    waiting.set()
    stream = while_signed_in(access.watch, by_token("token"), numbers(waiting))
    assert await anext(stream) == 1
    await access.watch.look()
    with pytest.raises(SignInError, match="revoked"):
        await anext(stream)


async def test_a_stream_ends_with_the_time_of_its_token() -> None:
    access = Access(token={Role.ADMIN, Role.AUDITOR})
    stream = while_signed_in(access.watch, by_token("token", timedelta(milliseconds=20)), numbers(asyncio.Event()))
    assert await anext(stream) == 1
    with pytest.raises(SignInError, match=EXPIRED):
        await anext(stream)
    late = while_signed_in(access.watch, by_token("token", timedelta(seconds=-1)), numbers(asyncio.Event()))
    with pytest.raises(SignInError, match=EXPIRED):
        _ = [number async for number in late]


async def test_a_stream_that_ends_by_itself_just_ends() -> None:
    access, waiting = Access(), asyncio.Event()
    waiting.set()
    for session in (by_token("token", timedelta(hours=1)), None):
        stream = while_signed_in(access.watch, session, numbers(waiting))
        assert [number async for number in stream] == [1, 2]
    await access.watch.look()
    assert access.asked == []


async def test_a_timeout_of_the_source_is_its_own() -> None:
    async def impatient() -> AsyncGenerator[int, None]:
        yield 1
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    stream = while_signed_in(Access().watch, by_token("token"), impatient())
    assert await anext(stream) == 1
    with pytest.raises(TimeoutError):
        await anext(stream)


async def test_an_announcement_makes_it_look_at_once() -> None:
    access, ended = Access(token={Role.ADMIN, Role.AUDITOR}), asyncio.Event()
    bus = await open_bus(None)
    hub = Hub(bus)
    async with asyncio.timeout(60):
        async with access.watch.looking(hub):
            with access.watch.hold(by_token("token"), lambda _: ended.set()):
                access.up = False
                while not access.looked.is_set():  # the bell may not have been hung yet
                    await announce_access(bus)
                    await a_moment()
                access.up = True
                access.roles = {}
                while not ended.is_set():
                    await announce_access(bus)
                    await a_moment()
        await hub.close()
        await bus.close()
