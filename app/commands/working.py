"""What `windtunnel worker` does: apart from the command, so that other commands start without a worker."""

import asyncio
import signal

import typer

from app.caretaker import Caretaker
from app.checkpointer import Checkpointer
from app.deliverer import Deliverer
from app.deployer import Deployer
from app.descriptors import take_descriptors
from app.experimenter import Experimenter
from app.housekeeper import Housekeeper
from app.settings import Settings
from app.wiring.databases import require_many_processes
from app.wiring.keys import checkpoint_files
from app.wiring.runtime import open_runtime
from app.worker import Worker
from windtunnel.storage.store import DatabaseRole


async def work(settings: Settings) -> None:
    """Work until somebody stops it. Raises SettingsError."""
    take_descriptors()
    require_many_processes(settings, "windtunnel worker")
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
        Deployer(runtime.services, owner=runtime.owner, warm=settings.warm_up == "on"),
        Experimenter(runtime.services, owner=runtime.owner, warm=settings.warm_up == "on"),
        Worker(runtime.services, owner=runtime.owner, concurrency=settings.worker_concurrency),
    ):
        typer.echo("Ready.")
        await stop.wait()
