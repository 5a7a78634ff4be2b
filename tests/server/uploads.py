"""The doors for packages on a real server in the test's own event loop, so that the test can reach behind them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from app.guards import Guards
from app.limiting.limiter import Limiter
from app.packages import Packages
from app.server import make_server
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session
from app.sign_in.watch import Watch
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.storage.sign_in import still_signed_in


async def until(true: Callable[[], bool]) -> None:
    """Wait for what others do, without keeping them from it."""
    while not true():
        await asyncio.to_thread(threading.Event().wait, 0.02)


class Doors:
    """Where they are, and the watch over who came through."""

    def __init__(self, port: int, watch: Watch) -> None:
        self.port = port
        self.watch = watch
        self.url = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def doors(
    services: Services, viewers: Mapping[str | None, Viewer], limiter: Limiter | None = None
) -> AsyncIterator[Doors]:
    """`viewers` by the token that is theirs; None: who comes without one."""

    async def authenticate(token: str | None) -> Session | None:
        return Session(viewers[token]) if token in viewers else None

    entrance = Entrance(authenticate, Watch(partial(still_signed_in, services.store)))
    packages = Packages(services, entrance, limiter or Limiter())
    app = Starlette(
        routes=[
            Route("/packages", packages.upload, methods=["PUT"]),
            Route("/packages/{digest}/signature", packages.sign, methods=["PUT"]),
        ],
        middleware=[Middleware(Guards, loopback_only=True)],
    )
    opened = asyncio.Event()
    server = make_server(app, "127.0.0.1", 0, opened.set)
    serving = asyncio.create_task(server.serve())
    try:
        await opened.wait()
        yield Doors(server.servers[0].sockets[0].getsockname()[1], entrance.watch)
    finally:
        server.should_exit = True
        await serving


class Upload:
    """A request whose body the test sends as it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begin(cls, port: int, *headers: str, path: str = "/packages") -> "Upload":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        upload = cls(reader, writer)
        await upload.send("\r\n".join([f"PUT {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode())
        return upload

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def status(self) -> int:
        line = await self._reader.readline()
        return int(line.split()[1])

    async def rest(self) -> bytes:
        """What comes until the server closes, or dies."""
        try:
            return await self._reader.read()
        except ConnectionResetError:
            return b""

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):  # of a server that was killed
            await self._writer.wait_closed()
