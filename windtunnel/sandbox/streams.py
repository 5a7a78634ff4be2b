"""What goes into a run and comes out of it: never more than was agreed upon is kept."""

import asyncio
import os
from collections.abc import Callable

_CHUNK_BYTES = 65_536


class Streams:
    """Stdin, stdout and stderr of a run; `theirs` are the ends for its process.

    When stdout and stderr together are more than `most` bytes, nothing more is read, and `flooded` is called.
    """

    def __init__(self, given: bytes, most: int, flooded: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._given = memoryview(given)
        self._left = most
        self._flooded = flooded
        self._ended = self._loop.create_future()
        stdin, self._stdin = os.pipe()
        self._stdout, stdout = os.pipe()
        self._stderr, stderr = os.pipe()
        self.theirs: tuple[int, ...] = (stdin, stdout, stderr)
        self._kept = {self._stdout: bytearray(), self._stderr: bytearray()}
        self._open = {self._stdin, self._stdout, self._stderr}
        self.seen_bytes = 0

    @property
    def stdout(self) -> bytes:
        """What was kept of it."""
        return bytes(self._kept[self._stdout])

    @property
    def stderr(self) -> bytes:
        """What was kept of it."""
        return bytes(self._kept[self._stderr])

    def flow(self) -> None:
        """Begin to write and to read; from now on, the run has the other ends, and only the run."""
        self._let_go()
        for descriptor in self._open:
            os.set_blocking(descriptor, False)
        for descriptor in self._kept:
            self._loop.add_reader(descriptor, self._read, descriptor)
        self._loop.add_writer(self._stdin, self._write)

    async def ended(self, within_s: float) -> None:
        """Wait until stdout and stderr have ended, that is until nobody has them any more."""
        await asyncio.wait([self._ended], timeout=within_s)

    def close(self) -> None:
        """Let go of everything."""
        self._let_go()
        for descriptor in tuple(self._open):
            self._close(descriptor)

    def _let_go(self) -> None:
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = ()

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self._close(descriptor)
            return
        self.seen_bytes += len(chunk)
        self._take(descriptor, chunk)

    def _take(self, descriptor: int, chunk: bytes) -> None:
        self._kept[descriptor] += chunk[: self._left]
        self._left -= len(chunk)
        if self._left < 0:
            self._flood()

    def _flood(self) -> None:
        for stream in self._open & self._kept.keys():
            self._close(stream)
        self._flooded()

    def _write(self) -> None:
        try:
            written = os.write(self._stdin, self._given[:_CHUNK_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:  # nobody wants to know more
            written = len(self._given)
        self._given = self._given[written:]
        if not self._given:
            self._all_given()

    def _all_given(self) -> None:
        self._close(self._stdin)

    def _close(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        self._loop.remove_reader(descriptor)
        self._loop.remove_writer(descriptor)
        os.close(descriptor)
        if self._open.isdisjoint(self._kept) and not self._ended.done():
            self._ended.set_result(None)
