"""What this request costs, and what its payer may still spend."""

from dataclasses import dataclass
from datetime import datetime

from resolvers.context import Context

UNLIMITED = 2**31 - 1
"""The largest number of GraphQL's Int: nobody counts."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """All in points but `reset_at`, when what was spent will be there again."""

    limit: int
    cost: int
    remaining: int
    reset_at: datetime

    @property
    def used(self) -> int:
        """What is spent."""
        return self.limit - self.remaining


async def rate_limit(context: Context) -> RateLimit:
    """Of the viewer's tenant; UNLIMITED where there is no limit."""
    context.signed_in()
    bill = context.bill
    if bill.limit is None or bill.reset_at is None:
        return RateLimit(UNLIMITED, bill.points, UNLIMITED, await context.services.store.now())
    return RateLimit(bill.limit, bill.points, bill.remaining, bill.reset_at)
