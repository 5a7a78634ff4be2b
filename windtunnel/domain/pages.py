"""Keyset pages: which slice of a list is wanted, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.policy import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in a list that is ordered newest first: by creation time in epoch milliseconds or by `seq`, then id."""

    number: int
    id: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`limit` items after `after` (forward) or before `before` (backward: the last ones of the list).

    `counted`: the length of the whole list is wanted too.
    """

    limit: int = PAGE_SIZE_DEFAULT
    after: Keyset | None = None
    before: Keyset | None = None
    backward: bool = False
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One slice. `keys` are the keysets of `items`, one each; `total` is None when it was not wanted."""

    items: Sequence[T]
    keys: Sequence[Keyset]
    has_next: bool
    has_previous: bool
    total: int | None


def page_size(name: str, value: int) -> int:
    """Return `value` if it is a legal page size, else raise ValidationError naming the argument `name`."""
    if not 1 <= value <= PAGE_SIZE_MAX:
        raise ValidationError(f"{name} must be 1 to {PAGE_SIZE_MAX}.", rule="page_size", path=(name,))
    return value
