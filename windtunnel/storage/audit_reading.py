"""Opening a database to look at its audit log, as whichever version of Windtunnel has left it."""

from datetime import timedelta

from windtunnel.storage.errors import RevisionError, RightError
from windtunnel.storage.migrations import AUDIT_SINCE, revision_of
from windtunnel.storage.store import DatabaseRole, Store, open_store

_NONE = "There is no audit log in this database: an older version of Windtunnel made it."


async def open_audit_log(url: str, clock_offset: timedelta) -> Store:
    """A store that changes nothing, not even the schema: whoever looks at evidence must not touch it.

    Raises UnavailableError, and RevisionError for a database that has no audit log, or is newer than this code.
    """
    try:
        store = await open_store(url, role=DatabaseRole.API, clock_offset=clock_offset, read_only=True)
    except RevisionError:  # it has not even our roles
        raise RevisionError(_NONE) from None
    try:
        await _check(store)
    except BaseException:
        await store.close()
        raise
    return store


async def _check(store: Store) -> None:
    try:
        revision = await revision_of(store)
    except RightError:  # what came before had no roles, and gave them no rights
        revision = 0
    if revision < AUDIT_SINCE:
        raise RevisionError(_NONE)
