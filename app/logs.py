"""Structured logs on stderr: readable on a terminal, JSON lines elsewhere."""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Set up structlog for this process; `level` as in `WINDTUNNEL_LOG_LEVEL`."""
    renderer: structlog.typing.Processor = (
        # Plain tracebacks: the fancy ones print local variables, secrets among them.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
