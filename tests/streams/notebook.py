"""A numbered log in memory with its doorbell, and people who read it."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import orjson

from windtunnel.streams.bus import Bus
from windtunnel.streams.follow import follow
from windtunnel.streams.hub import Hub
from windtunnel.streams.log import Log


@dataclass(frozen=True, slots=True)
class Line:
    seq: int
    text: str


class Notebook:
    """`broken` makes every read fail with that error; `ends_at` is a note to whoever reads to the end."""

    def __init__(self, bus: Bus, channel: str = "notebook") -> None:
        self.bus = bus
        self.lines: list[Line] = []
        self.reads = 0
        self.decoded = 0
        self.broken: Exception | None = None
        self.ends_at = 0
        self.log = Log(channel, self._read, self._decode)

    def store(self, count: int = 1) -> list[Line]:
        """Store lines without a word to anyone."""
        first = len(self.lines) + 1
        new = [Line(seq, f"line {seq}") for seq in range(first, first + count)]
        self.lines += new
        return new

    async def ring(self, lines: Sequence[Line]) -> None:
        await self.bus.publish(self.log.channel, orjson.dumps([[line.seq, line.text] for line in lines]).decode())

    async def write(self, count: int = 1) -> None:
        """Store lines, then ring."""
        await self.ring(self.store(count))

    async def _read(self, after: int, limit: int) -> list[Line]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.broken is not None:
            raise self.broken
        return self.lines[after : after + limit]

    def _decode(self, message: str) -> list[Line]:
        self.decoded += 1
        return [Line(seq, text) for seq, text in orjson.loads(message)]


async def read_until(
    hub: Hub, notebook: Notebook, last: int, after: int = 0, seen: list[int] | None = None
) -> list[int]:
    """The numbers one steady reader gets; `seen` shows them while it reads."""
    seen = [] if seen is None else seen
    async with aclosing(follow(hub, notebook.log, after, lambda line: line.seq >= last)) as lines:
        async for line in lines:
            assert line.text == f"line {line.seq}"
            seen.append(line.seq)
    return seen


async def read_unsteadily(
    hub: Hub, notebook: Notebook, last: int, *, seed: int, losses: int, seen: list[int] | None = None
) -> list[int]:
    """The numbers one reader gets who goes away now and then, and resumes after the last number seen."""
    choice = random.Random(seed)
    seen = [] if seen is None else seen
    while not seen or seen[-1] < last:
        patience = choice.randint(1, max(1, last // 5)) if losses > 0 else last
        losses -= 1
        after = seen[-1] if seen else 0
        async with aclosing(follow(hub, notebook.log, after, lambda line: line.seq >= last)) as lines:
            async for line in lines:
                seen.append(line.seq)
                patience -= 1
                if patience == 0:
                    break
    return seen


def idle(hub: Hub) -> int:
    """How many followers have seen everything and wait for more."""
    return sum(listener.idle_at is not None for channel in hub._channels.values() for listener in channel.listeners)


def others() -> set[str]:
    """The names of all tasks but this one."""
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
