"""What asyncpg's pool says while the server is away: a warning of ours instead of its tracebacks."""

import logging

import structlog

POOL = "asyncpg.pool"
_UNRESTORED = "Failed to restore the pool connection floor"

log = structlog.get_logger()


def tell_outages(expected: tuple[type[Exception], ...]) -> None:
    """From now on the pool's failure to connect again by itself is one line, if it is one of the `expected` errors.

    All else that asyncpg logs stays as it is.
    """
    logging.getLogger(POOL).addFilter(_Outage(expected))


class _Outage(logging.Filter):
    def __init__(self, expected: tuple[type[Exception], ...]) -> None:
        super().__init__()
        self._expected = expected

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if not (record.getMessage().startswith(_UNRESTORED) and isinstance(error, self._expected)):
            return True
        log.warning("database connection not restored, trying again", reason=str(error) or type(error).__name__)
        return False
