import asyncio
import random

import pytest

from tests.streams.notebook import Notebook, idle, others, read_unsteadily, read_until
from tests.waiting import until
from windtunnel.domain.errors import UnavailableError
from windtunnel.streams.bus import open_bus
from windtunnel.streams.hub import Hub


async def test_joining_and_leaving_at_once_loses_nothing_and_leaves_nothing_behind() -> None:
    bus = await open_bus(None)
    hub = Hub(bus, buffer_items=16)
    notebooks = [Notebook(bus, f"notebook {number}") for number in range(3)]
    last = 400
    readers = [
        asyncio.create_task(read_unsteadily(hub, notebooks[number % 3], last, seed=number, losses=number % 9))
        for number in range(60)
    ]
    torn = [asyncio.create_task(_join_and_be_torn_away(hub, notebooks[number % 3], number)) for number in range(60)]
    choice = random.Random(7)
    while any(len(notebook.lines) < last for notebook in notebooks):
        for notebook in notebooks:
            await notebook.write(min(choice.randint(1, 9), last - len(notebook.lines)))
        await asyncio.sleep(0)
    assert await asyncio.gather(*readers) == [list(range(1, last + 1))] * 60
    await asyncio.gather(*torn)
    assert hub.followers == 0
    assert hub._channels == {}
    assert bus._broadcast._subscribers == {}
    await hub.close()
    await bus.close()
    assert others() == set()


async def _join_and_be_torn_away(hub: Hub, notebook: Notebook, seed: int) -> None:
    choice = random.Random(seed)
    for _ in range(20):
        reader = asyncio.create_task(read_until(hub, notebook, 10**9))
        for _ in range(choice.randint(0, 12)):
            await asyncio.sleep(0)
        for _ in range(choice.randint(1, 2)):  # twice: also while it is cleaning up
            reader.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([reader])
        assert reader.cancelled()


async def test_a_closing_hub_tells_its_followers_and_refuses_new_ones() -> None:
    bus = await open_bus(None)
    hub = Hub(bus)
    notebook = Notebook(bus)
    readers = [asyncio.create_task(read_until(hub, notebook, 1)) for _ in range(5)]
    await until(lambda: idle(hub) == 5)
    await hub.close()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(result) for result in results] == [UnavailableError] * 5
    with pytest.raises(UnavailableError):
        await read_until(hub, notebook, 1)
    await bus.close()
    assert others() == set()


async def test_a_bell_rings_whoever_waits_and_whoever_comes_to_wait() -> None:
    bus = await open_bus(None)
    hub = Hub(bus)
    async with hub.bell("work") as one, hub.bell("work") as two:
        waiting = asyncio.create_task(one.wait())
        await asyncio.sleep(0)
        await bus.publish("work", "")
        await waiting
        await two.wait()
        waiting = asyncio.create_task(two.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        await bus.publish("work", "")
        await waiting
    await hub.close()
    await bus.close()
    assert others() == set()
