"""A subscription holds no memory of the events that went by."""

import gc
from collections.abc import AsyncGenerator

import strawberry
from graphql.execution.collect_fields import FieldDetails

from schema.execution import PerEventExecutor

EVENTS = 2_000


@strawberry.type
class Event:
    seq: int


@strawberry.type
class Query:
    nothing: int = 0


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def events(self) -> AsyncGenerator[Event]:
        for seq in range(EVENTS):
            yield Event(seq=seq)


async def test_a_long_subscription_holds_no_memory_of_former_events() -> None:
    schema = strawberry.Schema(Query, subscription=Subscription, execution_context_class=PerEventExecutor)
    held = []
    async for result in await schema.subscribe("subscription { events { seq } }"):
        assert result.data
        if result.data["events"]["seq"] in {EVENTS // 2, EVENTS - 1}:
            held.append(sum(isinstance(thing, FieldDetails) for thing in gc.get_objects()))
    assert held[1] <= held[0] + 10
