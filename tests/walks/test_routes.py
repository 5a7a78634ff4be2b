"""The routes beside GraphQL keep to the same: no name leads to another tenant, and roles open what they are for."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from app.graphiql.page import ASSETS_PATH
from app.graphql.guard import operation_guard
from app.http import build_app
from app.metrics import Metrics
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session
from app.sign_in.watch import Watch
from schema.root import build_schema
from tests.graphql.world import conduct
from tests.queries import counted
from tests.walks.things import MAKERS, Make, upload
from tests.walks.world import World, open_world, unknown
from windtunnel.domain.entities import Kind
from windtunnel.domain.permissions import ALLOWED, ROUTES, Action
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage.store import Store

OPEN = {"/healthz", "/readyz", "/metrics", f"{ASSETS_PATH}/{{name}}"}
WALKED_BY_FIELD = {"/graphql"}


@dataclass(frozen=True)
class Door:
    """What a route is for, what it is sent, how a thing that its path names comes to be, and a name of nothing."""

    action: Action
    body: bytes = b""
    make: Make | None = None
    missing: str = ""


DOORS: dict[tuple[str, str], Door] = {
    ("POST", "/simulate"): Door(Action.SIMULATE, b'{"scenario": "Answer mail."}'),
    ("GET", "/simulations/{id}/events"): Door(
        Action.WATCH_SIMULATION, make=MAKERS[Kind.SIMULATION], missing=unknown(Kind.SIMULATION)
    ),
    ("GET", "/simulations/{id}/telemetry"): Door(
        Action.WATCH_SIMULATION, make=MAKERS[Kind.SIMULATION], missing=unknown(Kind.SIMULATION)
    ),
    ("POST", "/architectures/{id}/calibration"): Door(
        Action.CALIBRATE_ARCHITECTURE, b"{}", MAKERS[Kind.ARCHITECTURE], unknown(Kind.ARCHITECTURE)
    ),
    ("PUT", "/packages"): Door(Action.UPLOAD_PACKAGE, b"an archive"),
    ("PUT", "/packages/{digest}/signature"): Door(Action.SIGN_PACKAGE, b"{}", upload, "0" * 64),
}


def _routes(app: Starlette) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route) and route.path not in OPEN | WALKED_BY_FIELD
        for method in route.methods or ()
        if method != "HEAD"
    }


def _with_roles(viewer: Viewer, roles: Collection[Role]) -> dict[str, str]:
    return {"Authorization": f"Bearer {viewer.tenant.slug} {' '.join(roles)}"}


@asynccontextmanager
async def _client(world: World) -> AsyncIterator[tuple[Starlette, httpx.AsyncClient]]:
    """A server that believes whatever roles a token says."""

    async def authenticate(token: str | None) -> Session | None:
        if token is None:
            return None
        slug, *roles = token.split()
        (viewer,) = [each for each in (world.mine, world.theirs) if each.tenant.slug == slug]
        return Session(replace(viewer, roles=frozenset(map(Role, roles))), is_checked=False)

    async def nobody(_: Collection[str], __: Collection[str]) -> Mapping[str, frozenset[Role]]:
        return {}

    metrics = Metrics()
    schema = build_schema([operation_guard(metrics)])
    app = build_app(
        world.services, schema, Entrance(authenticate, Watch(nobody)), metrics, loopback_only=False, graphiql=False
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://localhost",
        headers={"Content-Type": "application/json"},
    ) as client:
        yield app, client


async def test_every_route_has_its_door(store: Store) -> None:
    async with open_world(store) as world, _client(world) as (app, _):
        assert _routes(app) == DOORS.keys(), "add it to DOORS, or to OPEN"
    assert {door.action for door in DOORS.values()} >= ROUTES


async def test_their_things_and_nothing_are_answered_alike(store: Store) -> None:
    async with open_world(store) as world, _client(world) as (_, client):
        for (method, path), door in DOORS.items():
            if door.make is None:
                continue
            mine, theirs = await door.make(world, world.mine), await door.make(world, world.theirs)
            await conduct(world.services)
            before = await world.snapshot(world.theirs)
            answers, costs = [], []
            for name in (door.missing, theirs, mine):
                with counted(store) as statements:
                    answer = await client.request(
                        method, _filled(path, name), content=door.body, headers=_with_roles(world.mine, list(Role))
                    )
                answers.append((answer.status_code, answer.content.replace(name.encode(), b"NAME")))
                costs.append(statements)
            assert (answers[0], costs[0]) == (answers[1], costs[1]), path
            assert answers[2] != answers[1], f"{path} does not find what is mine"
            assert await world.snapshot(world.theirs) == before, path


async def test_roles_open_what_they_are_for(store: Store) -> None:
    async with open_world(store) as world, _client(world) as (_, client):
        for (method, path), door in DOORS.items():
            for role in Role:
                address = _filled(path, "nothing")
                log = await world.log(world.mine)
                answer = await client.request(
                    method, address, content=door.body, headers=_with_roles(world.mine, [role])
                )
                if role in ALLOWED[door.action]:
                    assert answer.status_code not in {401, 403}, (path, role, answer.text)
                else:
                    assert answer.status_code == 403, (path, role, answer.text)
                    assert (await world.log(world.mine))[len(log) :] == ["ACCESS_DENIED"], (path, role)


async def test_strangers_are_told_to_sign_in(store: Store) -> None:
    async with open_world(store) as world, _client(world) as (_, client):
        for (method, path), door in DOORS.items():
            for headers in ({}, _with_roles(world.mine, [])):
                with counted(store) as statements:
                    answer = await client.request(method, _filled(path, "nothing"), content=door.body, headers=headers)
                assert (answer.status_code, statements) == (401, []), (path, headers)


def _filled(path: str, name: str) -> str:
    head, brace, rest = path.partition("{")
    return f"{head}{name}{rest.partition('}')[2]}" if brace else path
