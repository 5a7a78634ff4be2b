import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams.notebook import Notebook, idle, others, read_until
from tests.waiting import until
from windtunnel.domain.errors import NotFoundError, UnavailableError
from windtunnel.streams.bus import open_bus
from windtunnel.streams.follow import follow
from windtunnel.streams.hub import Hub
from windtunnel.streams.log import RESET


@asynccontextmanager
async def memory_hub(buffer_items: int = 1_024) -> AsyncIterator[Hub]:
    """A hub on the in-process bus; nothing may be left of it afterwards."""
    bus = await open_bus(None)
    hub = Hub(bus, buffer_items)
    try:
        yield hub
    finally:
        await hub.close()
        await bus.close()
        assert others() == set()


@pytest.mark.usefixtures("no_poll")
async def test_a_follower_gets_what_is_stored_then_what_is_new_and_ends_with_the_last_item() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        notebook.store(1_203)  # more than two pages
        early = asyncio.create_task(read_until(hub, notebook, 1_210))
        resumed = asyncio.create_task(read_until(hub, notebook, 1_210, after=1_200))
        await until(lambda: hub.statistics.replayed == 1_203 + 3)
        for _ in range(7):
            await notebook.write()

        assert await early == list(range(1, 1_211))
        assert await resumed == list(range(1_201, 1_211))
        assert hub.statistics.live == 14
        assert hub.statistics.reread == 0
        assert hub.followers == 0


@pytest.mark.usefixtures("no_poll")
async def test_a_message_is_decoded_once_for_all_followers_and_nobody_reads_the_log_for_it() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        readers = [asyncio.create_task(read_until(hub, notebook, 30)) for _ in range(40)]
        await until(lambda: idle(hub) == 40)
        for _ in range(10):
            await notebook.write(3)
        assert await asyncio.gather(*readers) == [list(range(1, 31))] * 40
        assert notebook.decoded == 10
        assert notebook.reads == 40
        assert hub.statistics.live_share == 1


async def test_messages_that_repeat_overlap_skip_or_make_no_sense_change_nothing() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        reader = asyncio.create_task(read_until(hub, notebook, 12))
        await until(lambda: idle(hub) == 1)
        first = notebook.store(4)
        await notebook.ring(first[:2])
        await notebook.ring(first[:2])
        await notebook.ring(first[1:])
        await notebook.bus.publish("notebook", "no JSON")
        await notebook.bus.publish("notebook", "[[1]]")
        await notebook.bus.publish("notebook", "[]")
        await notebook.ring(notebook.store(6)[3:])
        await notebook.bus.publish("notebook", RESET)
        await notebook.write(2)
        assert await reader == list(range(1, 13))


@pytest.mark.usefixtures("no_poll")
async def test_a_slow_follower_loses_its_buffer_and_not_its_items() -> None:
    async with memory_hub(buffer_items=10) as hub:
        notebook = Notebook(hub.bus)
        notebook.store(1)
        async with aclosing(follow(hub, notebook.log, 0, lambda line: line.seq == 2_000)) as lines:
            assert (await anext(lines)).seq == 1
            brisk = asyncio.create_task(read_until(hub, notebook, 2_000))
            await until(lambda: hub.statistics.replayed == 2)
            for seq in range(2, 2_001):
                await notebook.write()
                await until(lambda seq=seq: hub.statistics.live == seq - 1)  # type: ignore[misc]
            assert hub.statistics.lagged == 1
            assert [line.seq async for line in lines] == list(range(2, 2_001))
        assert await brisk == list(range(1, 2_001))
        assert hub.statistics.reread == 1_999


@pytest.mark.usefixtures("no_poll")
async def test_a_batch_larger_than_the_buffer_is_taken_when_nothing_else_waits() -> None:
    async with memory_hub(buffer_items=10) as hub:
        notebook = Notebook(hub.bus)
        reader = asyncio.create_task(read_until(hub, notebook, 100))
        await until(lambda: idle(hub) == 1)
        await notebook.write(100)
        assert await reader == list(range(1, 101))
        assert hub.statistics.live == 100


async def test_what_the_bus_lost_is_found_by_one_poll_for_all_followers() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        readers = [asyncio.create_task(read_until(hub, notebook, 5)) for _ in range(25)]
        await until(lambda: idle(hub) == 25)
        notebook.store(5)  # and the doorbell is lost
        assert await asyncio.gather(*readers) == [[1, 2, 3, 4, 5]] * 25
        assert notebook.reads <= 25 + 2
        assert hub.statistics.reread == 125


@pytest.mark.usefixtures("no_poll")
async def test_a_follower_that_is_busy_when_messages_may_be_lost_reads_the_log() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        notebook.store(2)
        async with aclosing(follow(hub, notebook.log, 0, lambda line: line.seq == 5)) as lines:
            assert (await anext(lines)).seq == 1
            await hub.bus.publish("notebook", RESET)
            for _ in range(10):
                await asyncio.sleep(0)
            notebook.store(1)
            assert [(await anext(lines)).seq for _ in range(2)] == [2, 3]
            await notebook.write(2)
            assert [line.seq async for line in lines] == [4, 5]


async def test_a_log_that_cannot_be_read_at_first_is_an_error() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        notebook.broken = UnavailableError("down")
        with pytest.raises(UnavailableError):
            await read_until(hub, notebook, 1)


async def test_a_log_that_cannot_be_read_for_a_while_is_waited_for() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        reader = asyncio.create_task(read_until(hub, notebook, 9))
        await until(lambda: idle(hub) == 1)
        notebook.broken = OSError("down")
        notebook.store(3)
        await notebook.write(3)  # a gap: the follower reads, in vain
        await until(lambda: hub.statistics.failed_reads > 0)
        await notebook.write(3)
        notebook.broken = None
        assert await reader == list(range(1, 10))


async def test_a_log_that_is_gone_ends_every_follower_with_the_reason() -> None:
    async with memory_hub() as hub:
        notebook = Notebook(hub.bus)
        readers = [asyncio.create_task(read_until(hub, notebook, 1)) for _ in range(5)]
        await until(lambda: idle(hub) == 5)
        notebook.broken = NotFoundError("deleted")
        await notebook.bus.publish("notebook", "[]")
        results = await asyncio.gather(*readers, return_exceptions=True)
        assert [type(result) for result in results] == [NotFoundError] * 5


ACTIONS = st.tuples(
    st.sampled_from(["write", "write", "store", "repeat", "skip", "reset", "nonsense", "read", "read", "pass"]),
    st.integers(1, 9),
)


@settings(max_examples=200, deadline=None)
@given(script=st.lists(ACTIONS, max_size=30), buffer_items=st.integers(1, 12), after=st.integers(0, 5))
def test_whatever_the_bus_does_a_follower_gets_exactly_the_log(
    script: list[tuple[str, int]], buffer_items: int, after: int
) -> None:
    asyncio.run(_play(script, buffer_items, after))


async def _play(script: list[tuple[str, int]], buffer_items: int, after: int) -> None:
    async with memory_hub(buffer_items) as hub:
        notebook = Notebook(hub.bus)
        notebook.store(after)
        seen: list[int] = []
        async with aclosing(follow(hub, notebook.log, after, lambda line: line.seq == notebook.ends_at)) as lines:
            for action, number in script:
                if action == "read":
                    await hub.bus.publish("notebook", RESET)  # else it takes the poll's second to find what was lost
                    there = len(notebook.lines) - after - len(seen)
                    seen += [(await anext(lines)).seq for _ in range(min(number, there))]
                else:
                    await _act(notebook, action, number)
            notebook.ends_at = notebook.store(1)[0].seq
            await hub.bus.publish("notebook", RESET)
            seen += [line.seq async for line in lines]
        assert seen == list(range(after + 1, len(notebook.lines) + 1))


async def _act(notebook: Notebook, action: str, number: int) -> None:
    if action == "write":
        await notebook.write(number)
    elif action == "store":
        notebook.store(number)
    elif action == "repeat" and notebook.lines:
        await notebook.ring(notebook.lines[-number:])
    elif action == "skip":
        await notebook.ring(notebook.store(number)[number // 2 :])
    elif action == "reset":
        await notebook.bus.publish("notebook", RESET)
    elif action == "nonsense":
        await notebook.bus.publish("notebook", "[[")
    else:
        for _ in range(number):
            await asyncio.sleep(0)
