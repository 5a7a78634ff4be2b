"""Fields that are computed: a description always, and for every verb the permission and the payload."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.lazy_type import LazyType

from schema.payloads import UserErrors
from schema.requires import Requires
from windtunnel.domain.permissions import Action

F = TypeVar("F", bound=Callable[..., Any])


def resolved(description: str, shown_as: LazyType[str, str] | None = None) -> Callable[[F], F]:
    """Make a method a field. `shown_as` names a type of a module that cannot be imported without a cycle."""
    return cast("Callable[[F], F]", strawberry.field(description=description, graphql_type=shown_as))


def restricted(action: Action, description: str, shown_as: LazyType[str, str] | None = None) -> Callable[[F], F]:
    """Make a method a field that only some roles may read, nullable: null and FORBIDDEN to the others."""
    extensions: list[FieldExtension] = [Requires(action)]
    return cast(
        "Callable[[F], F]", strawberry.field(description=description, graphql_type=shown_as, extensions=extensions)
    )


def mutation(action: Action, description: str) -> Callable[[F], F]:
    """Make a method a mutation: who may use it, and expected failures as data."""
    extensions: list[FieldExtension] = [UserErrors(), Requires(action)]  # the last one runs first
    return cast("Callable[[F], F]", strawberry.mutation(description=description, extensions=extensions))


def subscription(action: Action, description: str) -> Callable[[F], F]:
    """Make a method a subscription: who may use it."""
    extensions: list[FieldExtension] = [Requires(action)]
    return cast("Callable[[F], F]", strawberry.subscription(description=description, extensions=extensions))
