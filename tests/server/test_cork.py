"""Frames of one turn of the event loop leave together, in order, and before the connection closes."""

import asyncio
from typing import cast

from app.cork import CorkedTransport


class Recording:
    """The transport below, which only remembers."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


async def test_one_turn_is_one_write() -> None:
    below = Recording()
    corked = CorkedTransport(cast("asyncio.Transport", below), asyncio.get_running_loop())
    corked.write(b"a")
    corked.write(b"b")
    assert below.done == []
    await asyncio.sleep(0)
    corked.write(b"c")
    await asyncio.sleep(0)
    assert below.done == [b"ab", b"c"]


async def test_what_waits_is_written_before_the_end_and_nothing_after_it() -> None:
    below = Recording()
    corked = CorkedTransport(cast("asyncio.Transport", below), asyncio.get_running_loop())
    corked.write(b"last words")
    corked.close()
    corked.write(b"too late")
    await asyncio.sleep(0)
    assert below.done == [b"last words", "closed"]
