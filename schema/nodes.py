"""The Node interface: anything with a global id."""

import strawberry


@strawberry.interface(description="Anything with a global id.")
class Node:
    """What every entity has."""

    id: strawberry.ID = strawberry.field(description="Opaque and globally unique.")
