"""Why a database could not be opened, in words for whoever has set its address; no user and no password in them."""

import errno
import socket
import sqlite3
from urllib.parse import unquote, urlsplit

import asyncpg  # type: ignore[import-untyped]

from windtunnel.domain.errors import ErrorCode, UnavailableError


class UnreachableError(UnavailableError):
    """The database could not be opened. `place` is where it was looked for, `reason` a clause without a full stop."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"The database {place} cannot be opened: {reason}.")
        self.place = place
        self.reason = reason


_OF_POSTGRES = (
    (asyncpg.InvalidAuthorizationSpecificationError, "it refuses this user or this password"),
    (asyncpg.InsufficientResourcesError, "it has no connection left"),
    (asyncpg.OperatorInterventionError, "it is starting or stopping"),
    (socket.gaierror, "there is no host of this name"),
)
_OF_SQLITE = {
    sqlite3.SQLITE_NOTADB: "it is no SQLite database",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PERM: "we may not open the file",
    sqlite3.SQLITE_READONLY: "we may not write to it",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
}
_OF_SYSTEM = {
    errno.ECONNREFUSED: "nobody listens there",
    errno.EHOSTUNREACH: "there is no way to this host",
    errno.ENETUNREACH: "there is no way to this network",
}


def unreachable_postgres(url: str, error: BaseException) -> UnreachableError:
    """What to say when no connection could be made; `error` is the driver's, or ours around it."""
    place = place_of(url)
    if isinstance(error, UnavailableError) and error.code is ErrorCode.TIMEOUT:
        return UnreachableError(place, "it does not answer in time")
    for cause in _causes(error):
        if isinstance(cause, asyncpg.InvalidCatalogNameError):
            return UnreachableError(place, f"it has no database {_database(url)!r}")
        for kind, reason in _OF_POSTGRES:
            if isinstance(cause, kind):
                return UnreachableError(place, reason)
        if isinstance(cause, OSError):
            return UnreachableError(place, _of_system(cause))
        if isinstance(cause, ValueError):  # the driver's words may repeat the password
            return UnreachableError(place, "the address cannot be read")
    return UnreachableError(place, "it does not let us in")


def unreachable_sqlite(path: str, error: BaseException) -> UnreachableError:
    """What to say when the file could not be opened; `error` is the driver's, or ours around it."""
    for cause in _causes(error):
        if isinstance(cause, sqlite3.Error):
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            return UnreachableError(path, _OF_SQLITE.get(code, "the file cannot be used"))
        if isinstance(cause, OSError):
            return UnreachableError(path, _of_system(cause))
    return UnreachableError(path, "the file cannot be used")


def place_of(url: str) -> str:
    """Host and port of a server's URL, without who signs in there and how."""
    hosts = url.partition("://")[2].partition("?")[0].rpartition("@")[2].partition("/")[0]
    if not hosts:
        return "on this machine"
    return ",".join(host if host.rpartition("]")[2].rpartition(":")[1] else f"{host}:5432" for host in hosts.split(","))


def _database(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        error = error.__cause__
    return [cause for cause in found if not isinstance(cause, UnavailableError)]


def _of_system(error: OSError) -> str:
    if error.errno in _OF_SYSTEM:
        return _OF_SYSTEM[error.errno]
    if error.errno is not None and error.strerror:
        return error.strerror.rstrip(".")
    said = str(error)  # of several addresses, each with its number
    return next((reason for number, reason in _OF_SYSTEM.items() if f"[Errno {number}]" in said), "it does not answer")
