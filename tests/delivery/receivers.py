"""Receivers of webhooks: real servers on loopback that keep what they are sent, and answer well or badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from windtunnel.delivery.addresses import read_allowance
from windtunnel.delivery.courier import Courier

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A running receiver. `sni` has the names that TLS clients asked for; `arrived` is notified of every request."""

    port: int
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    sni: list[str | None] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, count: int) -> list[Received]:
        """Wait for so many requests."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests


def answering(*statuses: int, headers: Sequence[tuple[str, str]] = ()) -> Behaviour:
    """Answers with each of `statuses` in turn, then with the last one for ever."""
    left = list(statuses)

    async def behave(_: Received, writer: asyncio.StreamWriter) -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        writer.write(f"HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\n{lines}\r\nok".encode())
        await writer.drain()

    return behave


async def silence(_: Received, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await writer.wait_closed()


@asynccontextmanager
async def receiver(
    behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None, host: str = LOOPBACK
) -> AsyncIterator[Receiver]:
    """A receiver on a free port of `host`; 204 unless told otherwise."""
    behave = behaviour or answering(204)
    running = Receiver(0)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        task = asyncio.current_task()
        assert task
        serving.add(task)
        try:
            request = await _read(reader)
            if request:
                async with running.arrived:
                    running.requests.append(request)
                    running.arrived.notify_all()
                await behave(request, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            serving.discard(task)

    if tls is not None:
        tls.sni_callback = lambda _, name, __: running.sni.append(name)
    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)
        await server.wait_closed()


def courier(
    *allowed: str, names: Mapping[str, Sequence[str]] | None = None, trust: ssl.SSLContext | None = None
) -> Courier:
    """A courier that may go to `allowed`, and for which `names` have these addresses (the system is never asked)."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        del port
        return (names or {}).get(host, ())

    return Courier(read_allowance(allowed), lookup, trust)


async def _read(reader: asyncio.StreamReader) -> Received | None:
    connection = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            break
    if request is None:
        return None
    headers = {name.decode(): value.decode() for name, value in request.headers}
    return Received(request.method.decode(), request.target.decode(), headers, body.decode())
