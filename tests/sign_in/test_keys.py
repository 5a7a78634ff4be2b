"""Keys of a provider: asked for seldom, together, and used for a while when it is down."""

import asyncio
from collections.abc import Sequence

import pytest

from app.sign_in.keys import FETCH_EVERY_S, FRESH_S, STALE_S, KeyCache, Named
from windtunnel.domain.errors import UnavailableError


class Provider:
    """Counts how often it is asked; `up` and `keys` may change, as may `now`."""

    def __init__(self, *kids: str) -> None:
        self.keys = list(kids)
        self.up = True
        self.asked = 0
        self.now = 1_000.0
        self.answering = asyncio.Event()
        self.answering.set()
        self.cache = KeyCache(self._fetch, lambda: self.now)

    async def _fetch(self) -> Sequence[Named[str]]:
        self.asked += 1
        await self.answering.wait()
        if not self.up:
            raise UnavailableError("down, at an address that is nobody's business")
        return [Named(kid, f"key {kid}") for kid in self.keys]


async def test_keys_are_asked_for_once() -> None:
    provider = Provider("a", "b")
    assert await provider.cache.find("a") == ["key a"]
    assert await provider.cache.find("b") == ["key b"]
    assert await provider.cache.find(None) == ["key a", "key b"]
    assert provider.asked == 1


async def test_whoever_comes_at_once_waits_for_the_same_answer() -> None:
    provider = Provider("a")
    provider.answering.clear()
    waiting = [asyncio.create_task(provider.cache.find("a")) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    provider.answering.set()
    assert await asyncio.gather(*waiting[1:]) == [["key a"]] * 19
    assert provider.asked == 1


async def test_a_new_key_is_found_at_once() -> None:
    provider = Provider("old")
    await provider.cache.find("old")
    provider.now += FETCH_EVERY_S
    provider.keys = ["new"]
    assert await provider.cache.find("new") == ["key new"]
    provider.now += FETCH_EVERY_S
    assert await provider.cache.find("old") == []


async def test_rubbish_cannot_hammer_the_provider() -> None:
    provider = Provider("a")
    for number in range(1_000):
        assert await provider.cache.find(f"rubbish {number}") == []
        provider.now += FETCH_EVERY_S / 100
    assert 9 <= provider.asked <= 11
    assert await provider.cache.find("a") == ["key a"]


async def test_keys_are_renewed_beside_the_work() -> None:
    provider = Provider("a")
    await provider.cache.find("a")
    provider.now += FRESH_S + 1
    provider.answering.clear()
    provider.keys = ["b"]
    assert await provider.cache.find("a") == ["key a"]
    await asyncio.sleep(0)
    assert provider.asked == 2
    provider.answering.set()
    assert await provider.cache.find("b") == ["key b"]
    assert provider.asked == 2


async def test_known_keys_go_on_for_a_while_when_the_provider_is_down() -> None:
    provider = Provider("a")
    await provider.cache.find("a")
    provider.up = False
    provider.now += STALE_S - 1
    assert await provider.cache.find("a") == ["key a"]
    await asyncio.sleep(0)
    provider.now += FETCH_EVERY_S
    with pytest.raises(UnavailableError) as refused:
        await provider.cache.find("a")
    assert "nobody's business" not in refused.value.message
    asked = provider.asked
    with pytest.raises(UnavailableError):
        await provider.cache.find("a")
    assert provider.asked == asked
    provider.up = True
    provider.now += FETCH_EVERY_S
    assert await provider.cache.find("a") == ["key a"]


async def test_an_unknown_key_is_no_outage_while_others_are_known() -> None:
    provider = Provider("a")
    await provider.cache.find("a")
    provider.up = False
    provider.now += FETCH_EVERY_S
    assert await provider.cache.find("b") == []


async def test_closing_leaves_no_task_behind() -> None:
    provider = Provider("a")
    provider.answering.clear()
    provider.cache.renew_soon()
    await asyncio.sleep(0)
    await provider.cache.close()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
