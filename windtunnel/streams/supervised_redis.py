"""A Redis backend for broadcaster that outlives its server: it reconnects, and says when something may be lost."""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog
from broadcaster import BroadcastBackend, Event
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from windtunnel.streams.ending import ended
from windtunnel.streams.log import RESET
from windtunnel.streams.outbox import Outbox
from windtunnel.streams.statistics import Statistics

CONNECT_TIMEOUT_S = 2.0
ACK_TIMEOUT_S = 1.0
KEEPALIVE_S = 2.0
BACKOFF_S = 0.05
BACKOFF_MAX_S = 2.0
SETTLED_S = 0.1
INCOMING_MAX = 10_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RedisLogin:
    """Who to be instead of the URL's user: somebody who may do nothing but publish and subscribe."""

    user: str
    password: str = field(repr=False)


class SupervisedRedis(BroadcastBackend):
    """One listening connection, kept alive by a task; `wanted` channels are subscribed whenever there is one.

    Every wanted channel gets a RESET when the connection is lost, and another once it is subscribed again.
    A server that is down never fails a caller: publishing does not wait for it, subscribing at most `ACK_TIMEOUT_S`.
    """

    def __init__(
        self, url: str, statistics: Statistics, login: RedisLogin | None = None, patience_s: float = ACK_TIMEOUT_S
    ) -> None:
        self.up = asyncio.Event()
        self.trouble = "no answer"
        self._patience_s = patience_s
        self._at_home = login is None
        self._missed = False
        self._closing = False
        self.statistics = statistics
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),  # trying again is the supervisor's task
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=CONNECT_TIMEOUT_S,
        )
        if login:
            only = {"username": login.user, "password": login.password, "db": 0, "driver_info": None}
            self._pool.connection_kwargs.update(only)
        self._incoming: asyncio.Queue[Event] = asyncio.Queue(INCOMING_MAX)
        self._wanted: set[str] = set()
        self._to_send = asyncio.Event()
        self._ping_due = False
        self._unanswered: Counter[str] = Counter()  # SUBSCRIBEs sent and not yet acknowledged
        self._acks: dict[str, asyncio.Future[None]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._outbox: Outbox | None = None

    async def connect(self) -> None:
        """Start; returns at once when the server answers, else after `patience_s`: it may come later."""
        self._supervisor = asyncio.create_task(self._supervise(), name="bus supervisor")
        self._outbox = Outbox(Redis(connection_pool=self._pool), self.up, self.statistics)
        try:
            async with asyncio.timeout(self._patience_s):
                await self.up.wait()
        except TimeoutError:
            self._missed = True

    async def disconnect(self) -> None:
        """Send what waits, stop, and leave no task behind."""
        if self._outbox is not None:
            await self._outbox.close()
        self._closing = True
        if self._supervisor is not None:
            await ended(self._supervisor)
        await self._pool.aclose()

    async def subscribe(self, group: str) -> None:
        """Listen to a channel; returns when the server has acknowledged it, or after `ACK_TIMEOUT_S`."""
        self._wanted.add(group)
        self._to_send.set()
        if not self.up.is_set():
            return  # the RESET after the next connection makes up for what is missed until then
        ack = self._acks[group] = asyncio.get_running_loop().create_future()
        await asyncio.wait([ack], timeout=ACK_TIMEOUT_S)

    async def unsubscribe(self, group: str) -> None:
        """Listen to a channel no more."""
        self._wanted.discard(group)
        self._release(group)
        self._to_send.set()

    async def publish(self, channel: str, message: Any) -> None:
        """Hand a message over to be sent soon."""
        if self._outbox is not None:
            self._outbox.put(channel, message)

    async def next_published(self) -> Event:
        """The next message of any wanted channel."""
        return await self._incoming.get()

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        pause = BACKOFF_S
        while True:
            connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            began = clock()
            try:
                await self._session(connection)
            except* Exception as failed:  # noqa: BLE001 (a listener that dies is what this class exists against)
                self.trouble = str(failed.exceptions[0])
            finally:
                was_up = self.up.is_set()
                self.up.clear()
                for channel in list(self._acks):
                    self._release(channel)
                with contextlib.suppress(Exception):
                    await connection.disconnect(nowait=True)
            if self._closing:
                return  # the driver has swallowed the cancellation: it does so while a server refuses us
            if was_up:
                self._tell(logging.WARNING, "bus connection lost", reason=self.trouble)
                self._missed = True
                self.statistics.reconnects += 1
                for channel in list(self._wanted):
                    await self._incoming.put(Event(channel, RESET))
            if clock() - began > SETTLED_S:
                pause = BACKOFF_S  # a server that takes connections only to end them is left alone for longer
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, BACKOFF_MAX_S)

    async def _session(self, connection: Connection) -> None:
        """One connection, from its beginning to the exception that ends it."""
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command("PING", check_health=False)
        await connection.read_response()  # a server that takes connections but hangs is not up
        self._unanswered.clear()
        self.up.set()
        if self._missed:
            self._missed = False
            self._tell(logging.INFO, "bus connected")
        both = [asyncio.create_task(self._write(connection)), asyncio.create_task(self._read(connection))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(*both)
        for task in both:
            if not task.cancelled():
                task.result()

    def _tell(self, level: int, event: str, **details: str) -> None:
        """What is lost and found again; who only serves an environment leaves that to the bus at home."""
        log.log(level if self._at_home else logging.DEBUG, event, **details)

    async def _write(self, connection: Connection) -> None:
        """Bring the server's subscriptions to what is wanted: also what came while the connection was made."""
        sent: set[str] = set()
        self._to_send.set()
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            joining, leaving = self._wanted - sent, sent - self._wanted
            sent = set(self._wanted)
            if leaving:
                await connection.send_command("UNSUBSCRIBE", *leaving, check_health=False)
            if joining:
                self._unanswered.update(joining)
                await connection.send_command("SUBSCRIBE", *joining, check_health=False)
            if self._ping_due:
                self._ping_due = False
                await connection.send_command("PING", check_health=False)

    async def _read(self, connection: Connection) -> None:
        asked = False
        while True:
            reply = await connection.read_response(timeout=KEEPALIVE_S)
            if reply is None:
                if asked:
                    raise RedisConnectionError("the server does not answer")
                asked = self._ping_due = True
                self._to_send.set()
                continue
            asked = False
            if not isinstance(reply, list):
                continue  # the answer to a PING while nothing is subscribed
            kind, channel = reply[0], reply[1].decode()
            if kind == b"message":
                await self._incoming.put(Event(channel, reply[2].decode()))
            elif kind == b"subscribe":
                await self._acknowledged(channel)

    async def _acknowledged(self, channel: str) -> None:
        self._unanswered[channel] -= 1
        if self._unanswered[channel] > 0:
            return  # this one was already taken back and asked for anew
        del self._unanswered[channel]
        if not self._release(channel):
            await self._incoming.put(Event(channel, RESET))

    def _release(self, channel: str) -> bool:
        """Let go who waits for the channel's subscription; False when nobody does."""
        ack = self._acks.pop(channel, None)
        if ack is None or ack.done():
            return False
        ack.set_result(None)
        return True
