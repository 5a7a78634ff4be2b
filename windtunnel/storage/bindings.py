"""Lets one set of Piccolo tables serve any number of open stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_engine: ContextVar[Any] = ContextVar("windtunnel_engine")


class BoundEngine:
    """What the tables take for their engine: a stand-in for the engine of the store that compiles a query now."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_engine.get(), name)


@contextmanager
def compiling_for(engine: object) -> Iterator[None]:
    """Within, queries are compiled for `engine`."""
    token = _engine.set(engine)
    try:
        yield
    finally:
        _engine.reset(token)
