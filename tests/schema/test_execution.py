"""A subscription holds no memory of the events that went by, and shares what is the same for others, only that."""

import gc
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from types import SimpleNamespace

import strawberry
from graphql.execution.collect_fields import FieldDetails

from app.graphql.guard import operation_guard
from app.metrics import Metrics
from schema.events import SimulationEvent
from schema.execution import PerEventExecutor
from windtunnel.domain.events import EventKind
from windtunnel.domain.viewers import Role, Tenant, User, Viewer
from windtunnel.storage.lru import LRU

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


class Asked:
    """Counts how often the field of an event is really executed, for viewers of tenants."""

    def __init__(self) -> None:
        self.executions = 0
        counting = self

        @strawberry.type
        class CountedEvent(SimulationEvent):
            @strawberry.field
            def told(self, loud: bool = False) -> str:
                counting.executions += 1
                return "TOLD" if loud else "told"

        @strawberry.type
        class Counted:
            @strawberry.subscription
            async def events(self, after: int = 0) -> AsyncGenerator[SimulationEvent]:
                for seq in range(after + 1, 4):
                    yield CountedEvent(
                        simulation_id=strawberry.ID("one"),
                        seq=seq,
                        kind=EventKind.NARRATIVE,
                        at=datetime(2026, 1, 1, tzinfo=UTC),
                        elapsed_ms=0,
                        agent_key=None,
                        message="Something happened.",
                    )

        class Executor(PerEventExecutor):
            recent = LRU(100)

        self.schema = strawberry.Schema(
            Query,
            subscription=Counted,
            types=[CountedEvent],
            execution_context_class=Executor,
            extensions=[operation_guard(Metrics())],
        )

    async def follow(self, tenant: str = "a", *, document: str = "", **variables: object) -> list[dict[str, object]]:
        viewer = Viewer(User("u", tenant, "You", None), Tenant(tenant, tenant, tenant), frozenset({Role.DEVELOPER}))
        results = await self.schema.subscribe(
            document or DOCUMENT, variables, SimpleNamespace(viewer=viewer, request_id="test")
        )
        return [result.data["events"] async for result in results if result.data]


DOCUMENT = """subscription ($after: Int! = 0, $loud: Boolean! = false, $terse: Boolean! = false) {
  events(after: $after) { seq ... on CountedEvent { told(loud: $loud) @skip(if: $terse) } } }"""


async def test_followers_who_ask_the_same_share_one_execution() -> None:
    asked = Asked()
    first = await asked.follow()
    assert asked.executions == 3
    assert await asked.follow() == first
    assert await asked.follow(after=1) == first[1:]
    assert asked.executions == 3


async def test_nothing_is_shared_between_tenants() -> None:
    asked = Asked()
    await asked.follow("a")
    await asked.follow("b")
    assert asked.executions == 6


async def test_nothing_is_shared_between_different_questions() -> None:
    asked = Asked()
    assert [event["told"] for event in await asked.follow()] == ["told"] * 3
    assert [event["told"] for event in await asked.follow(loud=True)] == ["TOLD"] * 3
    assert all("told" not in event for event in await asked.follow(terse=True))
    aliased = DOCUMENT.replace("told(", "said: told(")
    assert all("said" in event for event in await asked.follow(document=aliased))
