"""Decoys: something of everything that must not be reached from inside, set up outside while it is tried."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windtunnel.sandbox import scratch

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Decoys:
    """A directory with a file and a socket in it, an abstract socket, and listeners for TCP and UDP on loopback.

    Who connects is told the `word`; who sends a datagram has to say it.
    """

    word: str
    directory: Path
    file: Path
    socket: str
    abstract: str
    stream: tuple[str, int]
    datagram: tuple[str, int]
    arrived: asyncio.Event

    def datagram_arrived(self) -> bool:
        """Whether somebody has sent the word."""
        return self.arrived.is_set()

    def file_emptied(self) -> bool:
        """Whether the word in the file is gone."""
        return self.file.read_text("utf-8") != self.word


@asynccontextmanager
async def set_up(root: Path) -> AsyncIterator[Decoys]:
    """Decoys below `root`, where nothing inside can see them, until the context is left."""
    loop = asyncio.get_running_loop()
    word = secrets.token_hex(16)
    directory = root / f"decoy-{word}"
    directory.mkdir(mode=0o700)
    file = directory / "data"
    file.write_text(word, "utf-8")
    arrived = asyncio.Event()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
            if data == word.encode():
                arrived.set()

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(word.encode())
            await writer.drain()
        writer.close()

    abstract, name = f"windtunnel-{word}", "socket"
    servers = [
        await asyncio.start_server(greet, _LOOPBACK, 0),
        await asyncio.start_unix_server(greet, sock=_bound(f"\0{abstract}")),
        await asyncio.start_unix_server(greet, sock=_bound_in(directory, name)),
    ]
    transport, _ = await loop.create_datagram_endpoint(Receiver, (_LOOPBACK, 0))
    stream, datagram = servers[0].sockets[0].getsockname(), transport.get_extra_info("sockname")
    try:
        yield Decoys(word, directory, file, name, abstract, stream, datagram, arrived)
    finally:
        transport.close()
        for server in servers:
            server.close()
        scratch.remove(directory)


def _bound(address: str) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(address)
    return bound


def _bound_in(directory: Path, name: str) -> socket.socket:
    """A socket in the directory, however long its path is: addresses hold about a hundred bytes."""
    opened = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        return _bound(f"/proc/self/fd/{opened}/{name}")
    finally:
        os.close(opened)
