"""What requests cost."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import rate_limits


@strawberry.type(
    description="What a tenant may spend, in points. An operation costs 1, a mutation 10 for each of its fields; every "
    "row that the pages of an operation can hold costs 1 more, and reading the schema 100. A bucket of `limit` points "
    "fills up steadily within a minute; what does not find enough in it is refused with RATE_LIMITED. Where nothing is "
    "limited, `limit` and `remaining` are 2147483647."
)
class RateLimit:
    """Shows `rate_limits.RateLimit`."""

    limit: int = strawberry.field(description="Points that the bucket holds, and gets in a minute.")
    cost: int = strawberry.field(description="What this request costs.")
    remaining: int = strawberry.field(description="What is left after it.")
    used: int = strawberry.field(description="What is missing until the bucket is full.")
    reset_at: datetime = strawberry.field(description="When the bucket is full again, if nothing else is asked.")

    @classmethod
    def of(cls, found: rate_limits.RateLimit) -> Self:
        """The state as data."""
        return cls(
            limit=found.limit, cost=found.cost, remaining=found.remaining, used=found.used, reset_at=found.reset_at
        )
