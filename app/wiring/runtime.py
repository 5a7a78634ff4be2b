"""Everything that a server or worker needs, opened as the settings choose."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.beyond import beyond
from app.clustering import crew_of
from app.prices import price_of_model
from app.refusals import server_of
from app.settings import Settings
from app.wiring.databases import ready_store, served_by_one
from app.wiring.keys import approval_keys, checkpoint_files, vault_of
from app.wiring.planners import planner_of
from windtunnel.delivery.addresses import read_allowance
from windtunnel.delivery.courier import Courier
from windtunnel.knowledge import load_book
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.packages.signers import Signers
from windtunnel.storage.identity import identity_of
from windtunnel.storage.store import DatabaseRole, Store
from windtunnel.streams.bus import open_bus
from windtunnel.streams.environment_channels import EnvironmentChannels, SharedChannels
from windtunnel.streams.redis_channels import opened_redis_channels
from windtunnel.telemetry.conventions import profile_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything of one process that is open. `owner` names the process in leases."""

    services: Services
    owner: str


@asynccontextmanager
async def open_runtime(settings: Settings, role: DatabaseRole) -> AsyncIterator[Runtime]:
    """Open what a server or worker needs, on a `ready_store`, and close it in reverse order."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    limits = Limits(max_queued=settings.max_queued)
    async with AsyncExitStack() as stack:
        stack.enter_context(served_by_one(settings))
        store = await stack.enter_async_context(ready_store(settings, role))
        bus = await open_bus(settings.redis_url)
        stack.push_async_callback(bus.close)
        if settings.redis_url and not bus.up:
            log.warning(
                "WINDTUNNEL_REDIS_URL cannot be reached; other processes are not heard of until it can",
                server=server_of(settings.redis_url),
                reason=bus.trouble,
            )
        channels: EnvironmentChannels = SharedChannels(bus)
        if settings.redis_url:
            mine = await identity_of(store)
            channels = await stack.enter_async_context(opened_redis_channels(settings.redis_url, bus, mine))
        crew = crew_of(settings)
        stack.callback(crew.close)
        services = await stack.enter_async_context(
            open_services(
                store,
                bus,
                planner_of(settings),
                load_book(),
                limits,
                owner=owner,
                price=price_of_model(settings),
                checkpoints=checkpoint_files(settings),
                vault=vault_of(settings),
                courier=Courier(read_allowance(settings.webhook_allow)),
                blobs=DirectoryBlobs(settings.data_dir / "packages"),
                signers=Signers(settings.data_dir / "signers"),
                environments_dir=await environments_dir_of(settings, store),
                channels=channels,
                code_host=CodeHost(beyond(settings)),
                approvals=None if role is DatabaseRole.API else approval_keys(settings),
                crew=crew,
                collector=settings.collector,
                profile=profile_of(settings.semconv_opt_in),
            )
        )
        yield Runtime(services, owner)


async def environments_dir_of(settings: Settings, store: Store) -> Path:
    """Where the directories of environments are: those of each database in a directory of their own.

    Whoever finds one there that is in no row removes it; another database's are none of its business.
    """
    own = settings.data_dir / "windtunnel.db"
    if settings.database.startswith("sqlite:") and Path(settings.database.removeprefix("sqlite:///")) == own:
        return settings.data_dir / "environments"
    return settings.data_dir / f"environments-{await identity_of(store)}"
