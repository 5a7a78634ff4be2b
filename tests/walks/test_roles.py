"""Every field that needs a role lets exactly the printed roles pass, and so does the operation below it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import strawberry
from strawberry.utils.await_maybe import await_maybe

from schema.info import Info
from schema.requires import Requires
from schema.root import build_schema
from tests.walks.inputs import OwnId, arguments
from tests.walks.shape import Entry, audiences, required_roles, restricted_entries, root_entries
from tests.walks.things import make_all
from tests.walks.world import ENTRIES, World, cached_schema, caches, codes, open_world, unknown
from windtunnel.domain.permissions import ALLOWED, ROUTES, Action
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage import people
from windtunnel.storage.store import Store

ON_RECORD = ("audit_entries",)


def test_every_verb_needs_a_role() -> None:
    verbs = [entry for entry in root_entries() if entry.operation != "query"]
    assert [str(entry) for entry in verbs if not required_roles(entry.field)] == []


def test_what_is_printed_is_what_is_enforced() -> None:
    printed = {entry.name: required_roles(entry.field) for entry in restricted_entries()}
    assert printed == {action.value: roles for action, roles in ALLOWED.items() if action not in ROUTES}
    assert ALLOWED.keys() == set(Action)


@dataclass(frozen=True)
class Guard:
    """A schema, and the ids to be asked for. Behind the fields nobody comes as far as to see that an id is none."""

    schema: strawberry.Schema
    own: OwnId


@pytest.fixture(params=["field", "operation"])
def guarded(request: pytest.FixtureRequest) -> Iterator[Guard]:
    """The schema as it is, and one whose fields ask nobody for a role: there the operations must."""
    if request.param == "field":
        yield Guard(cached_schema(), lambda _: "no id at all")
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Requires, "resolve_async", _let_pass)
        yield Guard(build_schema(caches()), unknown)


async def _let_pass(_: Requires, next_: Callable[..., object], source: object, info: Info, **kwargs: Any) -> object:
    return await await_maybe(next_(source, info, **kwargs))


async def test_roles_open_exactly_what_they_are_printed_for(store: Store, guarded: Guard) -> None:
    async with open_world(store, guarded.schema) as world:
        await make_all(world, world.mine)
        faults = []
        for entry in restricted_entries():
            allowed = required_roles(entry.field) or frozenset()
            before = await world.snapshot(world.mine, without=ON_RECORD)
            for somebody in _people(world, frozenset(Role) - allowed):
                faults += await _refuses(world, entry, guarded.own, somebody)
            if await world.snapshot(world.mine, without=ON_RECORD) != before:
                faults.append(f"{entry} changed something although it was refused")
            for somebody in _people(world, allowed):
                answer = await world.ask(entry, arguments(entry, guarded.own), somebody)
                if "FORBIDDEN" in codes(answer):
                    faults.append(f"{entry} is closed to {sorted(somebody.roles)}")
        assert faults == [], "\n".join(fault[:160] for fault in faults)


async def test_nobody_changes_anything_with_roles_that_were_taken_away(store: Store) -> None:
    """Who was let in, and waits while it happens: asked for the second time, when the turn has come."""
    async with open_world(store) as world:
        mine = await make_all(world, world.mine)
        async with store.transaction(world.mine.tenant_id):
            await people.set_roles(store, world.mine.tenant_id, world.mine.user.id, [])
        verbs = [entry for entry in restricted_entries() if entry.operation == "mutation"]
        before = await world.snapshot(world.mine, without=ON_RECORD)
        faults = [fault for entry in verbs for fault in await _refuses(world, entry, mine.__getitem__, world.mine)]
        assert faults == [], "\n".join(fault[:160] for fault in faults)
        assert await world.snapshot(world.mine, without=ON_RECORD) == before
        assert len(verbs) > len(Role)


async def test_by_its_id_nobody_sees_what_they_could_not_come_to(store: Store) -> None:
    async with open_world(store) as world:
        mine, seen_by = await make_all(world, world.mine), audiences()
        for kind, made in mine.items():
            for role in Role:
                somebody = replace(world.mine, roles=frozenset({role}))
                (found,) = (await world.ask(ENTRIES["nodes"], {"ids": [made]}, somebody))["data"]["nodes"]
                assert (found is not None) == (role in seen_by[kind]), (kind, role)


def _people(world: World, roles: frozenset[Role]) -> list[Viewer]:
    """Me with each of the roles alone."""
    return [replace(world.mine, roles=frozenset({role})) for role in Role if role in roles]


async def _refuses(world: World, entry: Entry, own: OwnId, viewer: Viewer) -> list[str]:
    who = f"{entry} for {sorted(viewer.roles)}"
    logged = await world.logged(viewer)
    answer = await world.ask(entry, arguments(entry, own), viewer)
    faults = []
    if codes(answer) != ["FORBIDDEN"]:
        faults.append(f"{who}: {answer}")
    if (new := await world.log(viewer, logged)) != ["ACCESS_DENIED"]:
        faults.append(f"{who}: recorded as {new}")
    return faults
