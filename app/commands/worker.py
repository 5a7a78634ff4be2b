"""`windtunnel worker`: conduct simulations beside any number of API processes."""

import asyncio
import signal

import typer

from app.caretaker import Caretaker
from app.checkpointer import Checkpointer
from app.deliverer import Deliverer
from app.deployer import Deployer
from app.experimenter import Experimenter
from app.housekeeper import Housekeeper
from app.logs import configure_logs
from app.settings import Settings, load_settings
from app.wiring import checkpoint_files, open_runtime, require_many_processes
from app.worker import Worker
from windtunnel.storage.store import DatabaseRole


def worker() -> None:
    """Conduct simulations, and make and remove environments; run as many as you like on PostgreSQL and Redis."""
    settings = load_settings()
    require_many_processes(settings, "windtunnel worker")
    configure_logs(settings.log_level)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with (
        open_runtime(settings, DatabaseRole.WORKER) as runtime,
        Checkpointer(runtime.services.store, checkpoint_files(settings)),
        Housekeeper(runtime.services.store, runtime.services.blobs),
        Deliverer(runtime.services, owner=runtime.owner),
        Caretaker(runtime.services, owner=runtime.owner),
        Deployer(runtime.services, owner=runtime.owner),
        Experimenter(runtime.services, owner=runtime.owner),
        Worker(runtime.services, owner=runtime.owner, concurrency=settings.worker_concurrency),
    ):
        typer.echo("Ready.")
        await stop.wait()
