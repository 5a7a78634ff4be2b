"""Messages on their way to the bus server: sent in order, without a caller ever waiting for the server."""

import asyncio
import random
from collections import deque

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from windtunnel.streams.ending import ended
from windtunnel.streams.statistics import Statistics

OUTBOX_MAX = 1_000
PIPELINE_MAX = 100
SEND_TIMEOUT_S = 2.0
FLUSH_TIMEOUT_S = 0.5
PAUSE_S = 0.05
PAUSE_MAX_S = 2.0

log = structlog.get_logger()


class Outbox:
    """A bounded queue and the task that empties it. What cannot be sent is dropped: it is in the log anyway."""

    def __init__(self, client: Redis, up: asyncio.Event, statistics: Statistics) -> None:
        self._client = client
        self._up = up
        self._statistics = statistics
        self._waiting: deque[tuple[str, str]] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._sender = asyncio.create_task(self._send(), name="bus outbox")

    def put(self, channel: str, message: str) -> None:
        """Queue a message; when too many wait, all of them are dropped."""
        if len(self._waiting) >= OUTBOX_MAX:
            self._drop()
        self._waiting.append((channel, message))
        self._empty.clear()
        self._filled.set()

    async def close(self) -> None:
        """Send what waits if that is quickly done, then stop."""
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await self._empty.wait()
        except TimeoutError:
            self._drop()
        await ended(self._sender)

    async def _send(self) -> None:
        pause = PAUSE_S
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), PIPELINE_MAX))]
                try:
                    async with asyncio.timeout(SEND_TIMEOUT_S), self._client.pipeline(transaction=False) as pipeline:
                        for channel, message in batch:
                            pipeline.publish(channel, message)
                        await pipeline.execute()
                    pause = PAUSE_S
                except (RedisError, OSError) as error:  # a TimeoutError is an OSError
                    if self._sender.cancelling():
                        return  # the driver has swallowed the cancellation
                    log.debug("doorbell not sent", messages=len(batch), reason=str(error))
                    self._statistics.dropped += len(batch)
                    self._drop()
                    await self._rest(pause)
                    pause = min(2 * pause, PAUSE_MAX_S)
            self._empty.set()

    async def _rest(self, pause: float) -> None:
        """Wait a little; cut short as soon as the listening side has found the server again."""
        await asyncio.sleep(PAUSE_S)
        try:
            async with asyncio.timeout(pause * random.uniform(0.5, 1.5)):
                await self._up.wait()
        except TimeoutError:
            return

    def _drop(self) -> None:
        self._statistics.dropped += len(self._waiting)
        self._waiting.clear()
