"""Wiring: the only module that chooses SQLite or PostgreSQL, in-process or Redis, offline or OpenAI."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.beyond import beyond
from app.clustering import crew_of
from app.refusals import server_of
from app.settings import Settings, SettingsError, price_of_model
from windtunnel.delivery.addresses import read_allowance
from windtunnel.delivery.courier import Courier
from windtunnel.domain.planning import Planner
from windtunnel.domain.policy import SOCKETS_UNNAMED_PER_ADDRESS
from windtunnel.knowledge import load_book
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.packages.signers import Signers
from windtunnel.storage.audit_reading import open_audit_log
from windtunnel.storage.errors import NOT_CURRENT
from windtunnel.storage.identity import identity_of
from windtunnel.storage.migrations import is_current, migrate
from windtunnel.storage.sign_in import still_signed_in
from windtunnel.storage.sole import ServedElsewhereError, served_alone
from windtunnel.storage.store import DatabaseRole, Store, open_store
from windtunnel.storage.tenants import ensure_demo
from windtunnel.storage.unreachable import UnreachableError
from windtunnel.streams.bus import open_bus
from windtunnel.streams.environment_channels import EnvironmentChannels, SharedChannels
from windtunnel.streams.redis_channels import opened_redis_channels
from windtunnel.telemetry.conventions import profile_of
from windtunnel.vault.approvals import ApprovalKeys
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError
from windtunnel.vault.sealing import Vault

if TYPE_CHECKING:
    from app.limiting.limiter import Limiter
    from app.sign_in.entrance import Entrance
    from app.sign_in.sessions import Authenticate

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything of one process that is open. `owner` names the process in leases."""

    services: Services
    owner: str


@asynccontextmanager
async def opened_store(settings: Settings, role: DatabaseRole | None) -> AsyncIterator[Store]:
    """The database that the settings choose, closed with the block; a `role` of None is its owner, who migrates."""
    name, url = _database_of(settings, role)
    with _named(name):
        store = await open_store(url, role=role, clock_offset=settings.clock_offset)
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """Say by which setting a database was chosen that cannot be opened."""
    try:
        yield
    except UnreachableError as error:
        raise SettingsError(f"The database of {setting}, {error.place}, cannot be opened: {error.reason}.") from error


def _database_of(settings: Settings, role: DatabaseRole | None) -> tuple[str, str]:
    """The setting that says which database a role uses, and the database's URL."""
    if role is None and settings.owner_database_url:
        return "WINDTUNNEL_OWNER_DATABASE_URL", settings.owner_database_url
    if role is DatabaseRole.WORKER and settings.worker_database_url:
        return "WINDTUNNEL_WORKER_DATABASE_URL", settings.worker_database_url
    return "WINDTUNNEL_DATABASE_URL" if settings.database_url else "WINDTUNNEL_DATA_DIR", settings.database


@contextmanager
def _served_alone(settings: Settings) -> Iterator[None]:
    """Refuse to serve what another server serves already, where processes cannot hear of each other: on SQLite."""
    if not settings.database.startswith("sqlite:"):
        yield
        return
    path, name = Path(settings.database.removeprefix("sqlite:///")), _database_of(settings, DatabaseRole.SERVER)[0]
    try:
        with served_alone(path):
            yield
    except ServedElsewhereError as error:
        used = path if settings.database_url else settings.data_dir
        number = f" (process {error.process})" if error.process else ""
        raise SettingsError(f"Another server uses {str(used)!r}{number}; stop it, or set {name}.") from None
    except UnreachableError as error:
        raise SettingsError(f"The database of {name}, {error.place}, cannot be opened: {error.reason}.") from error


@asynccontextmanager
async def ready_store(settings: Settings, role: DatabaseRole) -> AsyncIterator[Store]:
    """The database at the current schema.

    SQLite is migrated on the way; PostgreSQL must have been (SettingsError): many processes start at once there.
    """
    async with opened_store(settings, role) as store:
        if store.dialect == "sqlite":
            await migrate(store)
        elif not await is_current(store):
            raise SettingsError(NOT_CURRENT)
        yield store


@asynccontextmanager
async def open_runtime(settings: Settings, role: DatabaseRole) -> AsyncIterator[Runtime]:
    """Open what a server or worker needs, on a `ready_store`, and close it in reverse order."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    limits = Limits(max_queued=settings.max_queued)
    async with AsyncExitStack() as stack:
        stack.enter_context(_served_alone(settings))
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


def vault_of(settings: Settings) -> Vault:
    """What secrets are sealed with: the keys of the settings, else the key file, which is made when missing."""
    try:
        if settings.secrets_key:
            return Vault.of_text(settings.secrets_key)
        return Vault.open(settings.data_dir / "keys" / "secrets.key")
    except KeyRefusedError as error:
        raise SettingsError(str(error)) from None


def checkpoint_files(settings: Settings, directory: Path | None = None) -> CheckpointFiles:
    """Where the checkpoints of audit chains are kept, outside of the database: in `directory` or the usual place."""
    return CheckpointFiles(directory or settings.data_dir / "audit", settings.data_dir / "keys" / "audit.key")


def approval_keys(settings: Settings) -> ApprovalKeys:
    """By what workers sign approvals, and believe them: the key file, which is made when missing."""
    try:
        return ApprovalKeys.open(settings.data_dir / "keys" / "approvals.key")
    except KeyRefusedError as error:
        raise SettingsError(str(error)) from None


@asynccontextmanager
async def opened_for_reading(settings: Settings) -> AsyncIterator[Store]:
    """The database for commands that look at its audit log and change nothing, not even its schema.

    Raises SettingsError when it is not there, RevisionError when it has no audit log.
    """
    _require_database(settings)
    name, url = _database_of(settings, DatabaseRole.API)
    with _named(name):
        store = await open_audit_log(url, settings.clock_offset)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_entrance(settings: Settings, services: Services) -> AsyncIterator["Entrance"]:
    """Who is let in, as the settings choose; what they follow is watched for as long as this is open."""
    from app.sign_in.entrance import Entrance
    from app.sign_in.modes import by_oidc, in_dev
    from app.sign_in.tokens import ApiTokens
    from app.sign_in.watch import Watch

    watch, tokens = Watch(partial(still_signed_in, services.store)), ApiTokens(services.store)
    authenticate: Authenticate = tokens
    async with AsyncExitStack() as stack:
        stack.push_async_callback(tokens.close)
        await stack.enter_async_context(watch.looking(services.hub))
        if settings.auth == "dev":
            authenticate = in_dev(tokens, await ensure_demo(services.store))
        elif settings.auth == "oidc":
            from app.sign_in.oidc import issued_by

            issuer, audience = settings.oidc_issuer or "", settings.oidc_audience or ""
            people = await stack.enter_async_context(issued_by(issuer, audience, services.store))
            authenticate = by_oidc(tokens, people)
        yield Entrance(authenticate, watch)


@asynccontextmanager
async def opened_limiter(settings: Settings) -> AsyncIterator["Limiter"]:
    """Who may ask for how much: counted in this process, or with Redis by all processes together."""
    from app.limiting.buckets import Buckets
    from app.limiting.connections import Connections
    from app.limiting.limiter import Limiter, utc_now
    from app.limiting.shared import SharedBuckets

    most = settings.sockets_per_viewer
    connections = Connections(most, SOCKETS_UNNAMED_PER_ADDRESS if most else None)
    limit = settings.points_per_minute
    if limit is None:
        yield Limiter(None, connections=connections)
        return
    buckets = Buckets(limit)
    meter = SharedBuckets(settings.redis_url, buckets) if settings.redis_url else buckets
    try:
        yield Limiter(meter, now=lambda: utc_now() + settings.clock_offset, connections=connections)
    finally:
        await meter.close()


def _require_database(settings: Settings) -> None:
    path = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:") and not path.exists():
        raise SettingsError(f"There is no database at {str(path)!r}.")


def planner_of(settings: Settings) -> Planner:
    """The planner that the settings choose."""
    from windtunnel.planning import offline_planner, openai_planner

    if not settings.uses_openai or settings.openai_api_key is None:
        return offline_planner()
    return openai_planner(
        model=settings.model,
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key,
        api=settings.model_api,
    )


def require_many_processes(settings: Settings, what: str) -> None:
    """Raise SettingsError unless several processes can share this database and bus."""
    if settings.database.startswith("sqlite:"):
        raise SettingsError(
            f"{what} needs PostgreSQL: on SQLite one process holds all. Set WINDTUNNEL_DATABASE_URL to postgres://..., "
            "or start `windtunnel serve` with its embedded worker."
        )
    if settings.redis_url is None:
        raise SettingsError(f"{what} needs WINDTUNNEL_REDIS_URL, so that processes hear of each other.")
