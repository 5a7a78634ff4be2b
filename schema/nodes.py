"""The Node interface: anything with a global id, and how each kind of it is found."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import strawberry

from schema.info import Info
from windtunnel.domain.entities import Kind


@strawberry.interface(description="Anything with a global id.")
class Node:
    """What every entity has."""

    id: strawberry.ID = strawberry.field(description="Opaque and globally unique.")


Find = Callable[[Info, str], Awaitable[Node | None]]
F = TypeVar("F", bound=Find)

_FINDS: dict[Kind, Find] = {}


def finds(kind: Kind) -> Callable[[F], F]:
    """Make a function the one that finds things of this kind by their stored id, None when the viewer has none.

    Each type registers its own beside it, so that whoever shows a thing of any kind need not import them all.
    """

    def register(find: F) -> F:
        _FINDS[kind] = find
        return find

    return register


async def node_of(info: Info, kind: Kind, raw: str) -> Node | None:
    """The thing as data, loaded together with its neighbours; None when there is none that the viewer may see."""
    info.context.signed_in()
    find = _FINDS.get(kind)
    return await find(info, raw) if find else None


async def named(info: Info, kind: Kind, raw: str) -> Node:
    """The thing that a stored one names: it exists as long as that does."""
    found = await node_of(info, kind, raw)
    if found is None:
        raise LookupError(f"{kind} {raw} is named but not stored")
    return found
