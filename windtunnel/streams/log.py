"""A numbered log and its doorbell: all that a stream needs to know of what it carries."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

RESET = "reset"
"""The message of any channel that says: others may have been lost, read the log."""


class Numbered(Protocol):
    """An item of a log, numbered from 1 without gaps."""

    @property
    def seq(self) -> int:
        """Its number."""
        ...


T = TypeVar("T", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Log(Generic[T]):
    """Where items are stored, and where it is announced that there are more.

    `read(after, limit)` gives the next items, at most `limit`, in order. `decode` reads a message of `channel`: the
    items just stored, or none at all when they must be read from the log. Everyone who names the same channel means
    the same log.
    """

    channel: str
    read: Callable[[int, int], Awaitable[Sequence[T]]]
    decode: Callable[[str], Sequence[T]]


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """Consecutive items on their way to followers; `live` when the bus brought them."""

    items: Sequence[T]
    live: bool
