"""What a resolver is told about the request: strawberry's info with our context."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import strawberry

from resolvers.context import Context

S = TypeVar("S")
T = TypeVar("T")

Info: TypeAlias = strawberry.Info[Context, None]


def given(value: T | None) -> T | None:
    """The value of an argument or input field, None when the client left it out."""
    return None if value is strawberry.UNSET else value


def optional(show: Callable[[T], S], value: T | None) -> S | None:
    """The value shown, None for None."""
    return None if value is None else show(value)
