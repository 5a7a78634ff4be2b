"""The buckets that all processes share: in Redis, with the process's own ones for when it does not answer."""

import asyncio
import contextlib
from collections import deque
from itertools import islice
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.limiting.buckets import Buckets
from windtunnel.domain.allowances import Draw, wait_for
from windtunnel.streams.ending import ended

ANSWER_S = 0.05
RECOVERY_S = 0.5
"""How long an absent server is left alone before it is asked again."""
TIMEOUTS_MAX = 3
"""So many late answers in a row and the server counts as absent: a single one may be our own event loop's fault."""
BATCH_MAX = 200
KEY = "windtunnel:points:%s"

# The server's clock decides, so that processes agree. Numbers are whole and below 2**53; a key lives until it is full.
SCRIPT = """
local limit, points = tonumber(ARGV[1]), tonumber(ARGV[2])
local full, price = limit * 60000, points * 60000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local units, at = full, now
local stored = redis.call('HMGET', KEYS[1], 'units', 'at')
if stored[1] and stored[2] then
  at = math.max(now, tonumber(stored[2]))
  units = math.min(full, tonumber(stored[1]) + (at - tonumber(stored[2])) * limit)
end
local paid = price <= units
if paid then units = units - price end
redis.call('HSET', KEYS[1], 'units', string.format('%.0f', units), 'at', string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[1], 61000)
return {paid and 1 or 0, string.format('%.0f', units)}
"""

log = structlog.get_logger()

Waiting = tuple[str, int, "asyncio.Future[tuple[bool, int] | None]"]


class SharedBuckets:
    """A `Meter` on a Redis-protocol server. Requests of one moment travel together, on one connection.

    Whoever waits for longer than `answer_s` is served from the process's own bucket, which remembers what the shared
    one held last. While the server is absent nobody waits for it at all; a task looks whether it is back.
    """

    def __init__(self, url: str, buckets: Buckets, answer_s: float = ANSWER_S) -> None:
        self.limit = buckets.limit
        self._buckets = buckets
        self._answer_s = answer_s
        self._redis: Redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), protocol=2)
        self._waiting: deque[Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._timeouts = 0

    @property
    def up(self) -> bool:
        """Whether the server is asked at all."""
        return self._recovering is None

    async def draw(self, payer: str, points: int) -> Draw:
        """Take the points from the shared bucket, or from our own."""
        told = await self._ask(payer, points) if self.up else None
        if told is None:
            return await self._buckets.draw(payer, points)
        paid, units = told
        bucket = self._buckets.put(payer, units)
        return Draw(bucket, paid, 0 if paid else wait_for(bucket, self.limit, points))

    def wait_ms(self, payer: str, points: int) -> int:
        """How long until the payer can pay, as this process heard last."""
        return self._buckets.wait_ms(payer, points)

    async def close(self) -> None:
        """Stop both tasks and hang up."""
        await ended(*(task for task in (self._sending, self._recovering) if task is not None))
        for _, _, answer in self._waiting:
            if not answer.done():
                answer.set_result(None)
        self._waiting.clear()
        await self._redis.aclose()

    async def _ask(self, payer: str, points: int) -> tuple[bool, int] | None:
        """Whether it was paid, and the units left; None without an answer."""
        answer: asyncio.Future[tuple[bool, int] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((payer, points, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name="rate limit")
        return await answer

    async def _send(self) -> None:
        """Send what waits, batch after batch, until nothing does."""
        while self._waiting:
            batch = list(islice(self._waiting, BATCH_MAX))
            told = await self._run(batch) if self.up else [None] * len(batch)
            for one in told:
                _, _, answer = self._waiting.popleft()
                if not answer.done():
                    answer.set_result(one)
        self._sending = None

    async def _run(self, batch: list[Waiting]) -> list[tuple[bool, int] | None]:
        try:
            async with asyncio.timeout(self._answer_s):
                pipeline = self._redis.pipeline(transaction=False)
                for payer, points, _ in batch:
                    pipeline.eval(SCRIPT, 1, KEY % payer, self.limit, points)
                told: list[Any] = await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._missed(error)
            return [None] * len(batch)
        self._timeouts = 0
        return [(paid == 1, int(units)) for paid, units in told]

    def _missed(self, error: Exception) -> None:
        self._timeouts += isinstance(error, TimeoutError)
        if self._recovering is None and (not isinstance(error, TimeoutError) or self._timeouts >= TIMEOUTS_MAX):
            log.warning("shared rate limit lost, each process counts for itself", reason=str(error) or "no answer")
            self._recovering = asyncio.create_task(self._recover(), name="rate limit recovery")

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RECOVERY_S)
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(RECOVERY_S):
                    # What is wanted of it, not a ping: a server may answer and yet refuse to write or to run scripts.
                    await self._redis.eval(SCRIPT, 1, KEY % "recovery", self.limit, 0)
                break
            if self._recovering is not None and self._recovering.cancelling():
                return  # the driver has swallowed the cancellation
        self._timeouts = 0
        self._recovering = None
