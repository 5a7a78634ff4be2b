"""A tiny schema behind the real transport, on a real server: everything that can go wrong, on demand."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Self

import strawberry
import uvloop
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from strawberry.dataloader import DataLoader

from app.graphiql.page import GraphiQLPage
from app.graphql.endpoint import GraphQLEndpoint
from app.graphql.execution import Execution
from app.graphql.guard import operation_guard
from app.graphql.operations import Caller
from app.graphql.trusted import TrustedDocuments
from app.graphql.websocket import SocketLimits
from app.guards import Guards
from app.limiting.limiter import Account, Limiter
from app.metrics import Metrics
from app.server import make_server
from tests.server.visitors import entrance
from windtunnel.domain.errors import ErrorCode, ForbiddenError, NotFoundError

SECRET = "the-database-password"


@dataclass
class World:
    """What tests look at while the server runs. `rows` changes under the feet of subscriptions."""

    opened: int = 0
    closed: int = 0
    produced: int = 0
    rows: dict[str, int] = field(default_factory=lambda: {"row": 0})
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, **steps: int) -> None:
        with self.changed:
            for name, step in steps.items():
                setattr(self, name, getattr(self, name) + step)
            self.changed.notify_all()

    def wait_until_closed(self, generators: int) -> bool:
        """True once that many generators were opened and closed again, and no more."""
        with self.changed:
            return self.changed.wait_for(lambda: generators == self.opened == self.closed, timeout=30)


@dataclass
class Context:
    """One operation's context; `loader` must not be shared with another."""

    world: World
    caller: Caller
    loader: DataLoader[str, int]

    @property
    def request_id(self) -> str:
        return self.caller.request_id

    @property
    def bill(self) -> Account | None:
        return self.caller.account


Info = strawberry.Info[Context, None]


@strawberry.type
class Thing:
    name: str

    @strawberry.field
    def thing(self) -> "Thing":
        return Thing(name=self.name)

    @strawberry.field
    def things(self) -> list["Thing"]:
        return [Thing(name=self.name)] * 2

    @strawberry.field
    def number(self) -> int:
        raise RuntimeError(SECRET)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def echo_id(self, id: strawberry.ID) -> strawberry.ID:
        return id

    @strawberry.field
    def thing(self) -> Thing:
        return Thing(name="a")

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def too_large(self) -> int | None:
        return 2**40

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFoundError("There is no such thing.")

    @strawberry.field
    def forbidden(self) -> str:
        raise ForbiddenError("Not for you.", code=ErrorCode.FORBIDDEN)

    @strawberry.field
    def lone_surrogate(self) -> str:
        return "\ud800"

    @strawberry.field
    def who(self, info: Info) -> str | None:
        viewer = info.context.caller.viewer
        return None if viewer is None else viewer.tenant.slug

    @strawberry.field
    async def row(self, info: Info) -> int:
        return await info.context.loader.load("row")

    @strawberry.field
    def request(self, info: Info) -> str:
        return info.context.request_id


@strawberry.input
class BumpInput:
    by: int
    tags: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: Info, input: BumpInput) -> int:
        info.context.world.rows["row"] += input.by
        return info.context.world.rows["row"]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int, after: int = 0) -> AsyncGenerator[int, None]:
        """The numbers after `after` up to `to`."""
        with _Open(info.context.world):
            for number in range(after + 1, to + 1):
                yield number

    @strawberry.subscription
    async def wait(self, info: Info) -> AsyncGenerator[int, None]:
        """One number at once, then nothing until the client has had enough."""
        with _Open(info.context.world):
            yield 1
            await asyncio.Event().wait()

    @strawberry.subscription
    async def fails(self, info: Info, after: int, expected: bool = False) -> AsyncGenerator[int, None]:
        """Ends with an exception after some numbers."""
        with _Open(info.context.world):
            for number in range(after):
                yield number
            if expected:
                raise NotFoundError("It is gone.")
            raise RuntimeError(SECRET)

    @strawberry.subscription
    async def things(self, info: Info) -> AsyncGenerator[Thing, None]:
        """Two things, whose `number` fails."""
        with _Open(info.context.world):
            yield Thing(name="a")
            yield Thing(name="b")

    @strawberry.subscription
    async def flood(self, info: Info, messages: int, size: int) -> AsyncGenerator[str, None]:
        """More than any buffer should take."""
        with _Open(info.context.world):
            for _ in range(messages):
                info.context.world.note(produced=1)
                yield "x" * size


class _Open:
    """Counts a generator while it is open."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        self._world.note(opened=1)

    def __exit__(self, *_: object) -> None:
        self._world.note(closed=1)


def tiny_app(
    world: World,
    metrics: Metrics | None = None,
    *,
    strict: bool = False,
    limiter: Limiter | None = None,
    documents: TrustedDocuments | None = None,
    **limits: float,
) -> Starlette:
    """The transport around the tiny schema."""

    async def load(keys: list[str]) -> list[int]:
        return [world.rows[key] for key in keys]

    metrics = metrics or Metrics()
    schema = strawberry.Schema(Query, Mutation, Subscription, extensions=[operation_guard(metrics)])
    page = GraphiQLPage()
    endpoint = GraphQLEndpoint(
        Execution(schema, lambda caller: Context(world, caller, DataLoader(load_fn=load)), documents),
        entrance(strict=strict),
        page,
        metrics,
        limits=SocketLimits(**limits),  # type: ignore[arg-type]
        limiter=limiter,
    )
    return Starlette(
        routes=[
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            Route("/graphiql/{name}", page.asset),
        ],
        middleware=[Middleware(Guards, loopback_only=True, allowed_origins=["https://studio.example"])],
    )


class Serving:
    """A server in a thread of its own, on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str] = ()) -> None:
        self._server = make_server(app, "127.0.0.1", 0, self._opened, trusted_proxies=trusted_proxies)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.port = 0

    def _run(self) -> None:
        uvloop.run(self._server.serve())

    def _opened(self) -> None:
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self._ready.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    def begin_shutdown(self) -> None:
        """What SIGTERM does."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.begin_shutdown()
        self._thread.join(30)
        assert not self._thread.is_alive()
