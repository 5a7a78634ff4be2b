"""Who may upload traces, and whose are looked at next: nobody keeps others waiting for ever."""

import asyncio
from contextlib import ExitStack

import pytest

from app.turns import Turns
from windtunnel.domain.errors import RateLimitedError
from windtunnel.domain.viewers import Role, Tenant, User, Viewer


def _viewer(tenant: str, user: str) -> Viewer:
    return Viewer(User(user, tenant, user, None), Tenant(tenant, tenant, tenant), frozenset({Role.DEVELOPER}))


def test_nobody_keeps_all_others_out() -> None:
    turns, stack = Turns(), ExitStack()
    with stack:
        stack.enter_context(turns.admitted(_viewer("one", "ann")))
        with pytest.raises(RateLimitedError), turns.admitted(_viewer("one", "ann")):
            pass
        for user in ("bob", "cy", "dee"):
            stack.enter_context(turns.admitted(_viewer("one", user)))
        with pytest.raises(RateLimitedError), turns.admitted(_viewer("one", "eve")):
            pass
        stack.enter_context(turns.admitted(_viewer("two", "ann")))
    # Whoever leaves, leaves room.
    with turns.admitted(_viewer("one", "ann")), turns.admitted(_viewer("one", "eve")):
        pass


async def test_tenants_take_turns() -> None:
    turns, order = Turns(), list[str]()
    hold = asyncio.Event()

    async def calibrate(tenant: str, user: str) -> None:
        viewer = _viewer(tenant, user)
        with turns.admitted(viewer):
            async with turns.turn(viewer):
                order.append(f"{tenant} {user}")
                await hold.wait()

    asked = [("one", "ann"), ("one", "bob"), ("one", "cy"), ("two", "ann"), ("three", "ann")]
    tasks = [asyncio.create_task(calibrate(*each)) for each in asked]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["one ann", "two ann"]
    tasks[0].cancel()
    hold.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["one ann", "two ann", "three ann", "one bob", "one cy"]
