"""A server in the benchmark's own process, so that the benchmark can write to its log and measure its memory."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.graphql.guard import operation_guard
from app.http import build_app
from app.metrics import Metrics
from app.server import make_server
from app.settings import load_settings
from app.wiring.entrance import opened_entrance
from app.wiring.runtime import Runtime, open_runtime
from schema.root import build_schema
from windtunnel.storage.store import DatabaseRole


@asynccontextmanager
async def embedded(database_url: str | None = None) -> AsyncIterator[tuple[Runtime, int]]:
    """What is open, and the port that it is served on; without a worker, in a fresh directory.

    The database is a new SQLite file, or the migrated one at `database_url`.
    """
    with tempfile.TemporaryDirectory(prefix="windtunnel-bench-") as directory:
        settings = load_settings(data_dir=Path(directory), database_url=database_url)
        async with (
            open_runtime(settings, DatabaseRole.SERVER) as runtime,
            opened_entrance(settings, runtime.services) as entrance,
        ):
            metrics = Metrics()
            schema = build_schema([operation_guard(metrics)])
            app = build_app(runtime.services, schema, entrance, metrics, loopback_only=True)
            opened = asyncio.Event()
            server = make_server(app, "127.0.0.1", 0, opened.set)
            serving = asyncio.create_task(server.serve())
            await opened.wait()
            yield runtime, server.servers[0].sockets[0].getsockname()[1]
            server.should_exit = True
            await serving
