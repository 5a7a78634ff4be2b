"""Which database a process opens, and as whom: chosen here, SQLite or PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from app.settings import Settings, SettingsError
from windtunnel.storage.audit_reading import open_audit_log
from windtunnel.storage.errors import NOT_CURRENT
from windtunnel.storage.migrations import is_current, migrate
from windtunnel.storage.sole import ServedElsewhereError, served_alone
from windtunnel.storage.store import DatabaseRole, Store, open_store
from windtunnel.storage.unreachable import UnreachableError


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


@contextmanager
def served_by_one(settings: Settings) -> Iterator[None]:
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


def require_many_processes(settings: Settings, what: str) -> None:
    """Raise SettingsError unless several processes can share this database and bus."""
    if settings.database.startswith("sqlite:"):
        raise SettingsError(
            f"{what} needs PostgreSQL: on SQLite one process holds all. Set WINDTUNNEL_DATABASE_URL to postgres://..., "
            "or start `windtunnel serve` with its embedded worker."
        )
    if settings.redis_url is None:
        raise SettingsError(f"{what} needs WINDTUNNEL_REDIS_URL, so that processes hear of each other.")


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


def _require_database(settings: Settings) -> None:
    path = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:") and not path.exists():
        raise SettingsError(f"There is no database at {str(path)!r}.")
