"""Streams of a process that stays: one question per line on its stdin, one answer per line on its stdout."""

import asyncio
from collections.abc import Callable

from windtunnel.sandbox.streams import Streams

_STDERR_KEPT_BYTES = 4_096


class ConversationOverError(Exception):
    """There is nobody any more who would answer."""


class Dialogue(Streams):
    """A line of more than `most` bytes ends the process; of what it says on stderr the end is kept."""

    def __init__(self, given: bytes, most: int, flooded: Callable[[], None]) -> None:
        super().__init__(given, most, flooded)
        self._most = most
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._over = False

    def say(self, line: bytes) -> None:
        """Have the process read this line. Raises ConversationOverError."""
        if self._over or self._stdin not in self._open:
            raise ConversationOverError
        self._given = memoryview(bytes(self._given) + line + b"\n")
        self._loop.add_writer(self._stdin, self._write)

    async def hear(self) -> bytes:
        """The next line of its stdout. Raises ConversationOverError."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise ConversationOverError
        return line

    def _take(self, descriptor: int, chunk: bytes) -> None:
        kept = self._kept[descriptor]
        kept += chunk
        if descriptor != self._stdout:
            del kept[:-_STDERR_KEPT_BYTES]
            return
        *lines, rest = bytes(kept).split(b"\n")
        kept[:] = rest
        for line in lines:
            self._lines.put_nowait(line)
        if len(rest) > self._most or self._lines.qsize() > self._most:
            self._flood()

    def _all_given(self) -> None:
        self._loop.remove_writer(self._stdin)

    def _close(self, descriptor: int) -> None:
        super()._close(descriptor)
        if descriptor in {self._stdin, self._stdout} and not self._over:
            self._over = True
            self._lines.put_nowait(None)
