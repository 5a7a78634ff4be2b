"""The buckets of a process, and those that processes share on a real Redis-protocol server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from app.limiting.buckets import Buckets
from app.limiting.shared import ANSWER_S, SharedBuckets
from tests.limiting.clock import Clock
from tests.servers import RedisServer
from windtunnel.domain.allowances import points_in
from windtunnel.domain.ids import new_id


@asynccontextmanager
async def shared(url: str, limit: int, answer_s: float = 30.0) -> AsyncIterator[SharedBuckets]:
    """The shared buckets as one process has them; its own ones stand still. The machine may be slow, too."""
    buckets = SharedBuckets(url, Buckets(limit, Clock()), answer_s)
    try:
        yield buckets
    finally:
        await buckets.close()


async def drawn(buckets: Buckets | SharedBuckets, payer: str, points: int = 1) -> bool:
    return (await buckets.draw(payer, points)).paid


async def test_a_payer_spends_only_its_own() -> None:
    clock = Clock()
    buckets = Buckets(10, clock)
    assert [await drawn(buckets, "a", 4) for _ in range(3)] == [True, True, False]
    assert buckets.wait_ms("a", 4) == 12_000
    assert buckets.wait_ms("b", 10) == 0
    assert await drawn(buckets, "b", 10)
    clock.now = 12_000
    assert await drawn(buckets, "a", 4)


async def test_memory_is_bounded_by_payers() -> None:
    buckets = Buckets(1, Clock(), most=2)
    assert [await drawn(buckets, f"a:{n}") for n in range(50)] == [True] * 50
    assert len(buckets._shelves["a"]._buckets) == 10
    assert not await drawn(buckets, "a:49")
    assert await drawn(buckets, "a:0")  # the oldest went


async def test_who_is_owed_nothing_is_forgotten_first() -> None:
    clock = Clock()
    buckets = Buckets(60, clock, most=3)
    assert await drawn(buckets, "a:spent", 60)
    for n in range(30):  # each has its point back when the second next one comes
        clock.now += 500
        assert await drawn(buckets, f"a:{n}")
    assert len(buckets._shelves["a"]._buckets) <= 5
    assert not await drawn(buckets, "a:spent", 60)


async def test_strangers_push_no_tenant_out() -> None:
    buckets = Buckets(10, Clock(), most=2)
    assert await drawn(buckets, "tenant:a", 10)
    for n in range(100):
        assert await drawn(buckets, f"address:{n}")
    assert not await drawn(buckets, "tenant:a")


async def test_two_processes_share_one_bucket(redis_url: str) -> None:
    payer = new_id()
    async with shared(redis_url, 1_000) as one, shared(redis_url, 1_000) as other:
        paid = await asyncio.gather(*(drawn(each, payer, 10) for _ in range(100) for each in (one, other)))
        # A bucket that is drawn from for longer than 600 ms has got ten points more.
        assert 100 <= sum(paid) < 120
        assert not await drawn(one, payer, 500)
        assert other.up
        assert 0 < other.wait_ms(payer, 500) < 60_000


async def test_one_bucket_is_drawn_down_exactly(redis_url: str) -> None:
    payer = new_id()
    async with shared(redis_url, 10**9) as buckets:
        first = await buckets.draw(payer, 10**9)
        assert first.paid
        assert points_in(first.bucket) == 0
        second = await buckets.draw(payer, 10**9)
        assert not second.paid
        assert 0 < second.wait_ms <= 60_000


async def test_a_server_that_is_away_is_not_waited_for_and_is_found_again(redis_server: RedisServer) -> None:
    async with shared(redis_server.url, 10) as buckets:
        assert await drawn(buckets, "a", 7)
        redis_server.kill()
        assert not await drawn(buckets, "a", 4)  # it remembers what was left
        assert await drawn(buckets, "a", 3)
        assert not buckets.up
        redis_server.start()
        assert buckets._recovering is not None
        await buckets._recovering
        assert await drawn(buckets, "a", 10)  # that server begins with full buckets


async def test_a_server_that_hangs_is_waited_for_briefly_and_then_not_at_all(redis_server: RedisServer) -> None:
    async with shared(redis_server.url, 10, ANSWER_S) as buckets:
        assert await drawn(buckets, "a")
        assert redis_server._process is not None
        redis_server._process.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                assert await asyncio.gather(*(drawn(buckets, "a") for _ in range(12))) == [True] * 9 + [False] * 3
                while buckets.up:
                    await drawn(buckets, "b")
        finally:
            redis_server._process.send_signal(signal.SIGCONT)


async def test_a_server_that_runs_no_scripts_is_as_good_as_none(redis_server: RedisServer) -> None:
    admin = Redis.from_url(redis_server.url)
    await admin.acl_setuser("default", commands=["-eval"], enabled=True)
    async with shared(redis_server.url, 3) as buckets:
        assert [await drawn(buckets, "a") for _ in range(4)] == [True, True, True, False]
        assert not buckets.up
        await admin.acl_setuser("default", commands=["+eval"], enabled=True)
        assert buckets._recovering is not None
        await buckets._recovering
        assert await drawn(buckets, "a")
    await admin.aclose()


async def test_no_server_at_all() -> None:
    async with shared("redis://127.0.0.1:1", 3) as buckets:
        assert [await drawn(buckets, "a") for _ in range(4)] == [True, True, True, False]


async def test_closing_lets_nobody_hang(redis_server: RedisServer) -> None:
    assert redis_server._process is not None
    redis_server._process.send_signal(signal.SIGSTOP)
    try:
        async with shared(redis_server.url, 3) as buckets:
            waiting = asyncio.create_task(drawn(buckets, "a"))
            await asyncio.sleep(0)
        assert await waiting
    finally:
        redis_server._process.send_signal(signal.SIGCONT)
