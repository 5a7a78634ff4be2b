"""Every field that needs a role lets exactly the printed roles pass, and so does the operation below it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from strawberry.utils.await_maybe import await_maybe

from schema.info import Info
from schema.requires import Requires
from schema.root import build_schema
from tests.walks.inputs import arguments
from tests.walks.shape import Entry, required_roles, restricted_entries, root_entries
from tests.walks.things import make_all
from tests.walks.world import World, cached_schema, caches, codes, open_world, unknown
from windtunnel.domain.permissions import ALLOWED, Action
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage.store import Store

LEFT_OUT = ("audit_entries",)


def test_every_verb_needs_a_role() -> None:
    verbs = [entry for entry in root_entries() if entry.operation != "query"]
    assert [str(entry) for entry in verbs if not required_roles(entry.field)] == []


def test_what_is_printed_is_what_is_enforced() -> None:
    printed = {entry.name: required_roles(entry.field) for entry in restricted_entries()}
    assert printed == {action.value: roles for action, roles in ALLOWED.items()}
    assert ALLOWED.keys() == set(Action)


@pytest.fixture(params=["field", "operation"])
def guarded(request: pytest.FixtureRequest) -> Iterator[strawberry.Schema]:
    """The schema as it is, and one whose fields ask nobody for a role: there the operations must."""
    if request.param == "field":
        yield cached_schema()
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Requires, "resolve_async", _let_pass)
        yield build_schema(caches())


async def _let_pass(_: Requires, next_: Callable[..., object], source: object, info: Info, **kwargs: Any) -> object:
    return await await_maybe(next_(source, info, **kwargs))


async def test_roles_open_exactly_what_they_are_printed_for(store: Store, guarded: strawberry.Schema) -> None:
    async with open_world(store, guarded) as world:
        await make_all(world, world.mine)
        faults = []
        for entry in restricted_entries():
            for roles in (frozenset[Role](), *(frozenset({role}) for role in Role)):
                somebody = replace(world.mine, roles=roles)
                if roles & (required_roles(entry.field) or frozenset()):
                    faults += await _opens(world, entry, somebody)
                else:
                    faults += await _refuses(world, entry, somebody)
        assert faults == [], "\n".join(fault[:160] for fault in faults)


async def _opens(world: World, entry: Entry, viewer: Viewer) -> list[str]:
    answer = await world.ask(entry, arguments(entry, unknown), viewer)
    return [f"{entry} is closed to {sorted(viewer.roles)}"] if "FORBIDDEN" in codes(answer) else []


async def _refuses(world: World, entry: Entry, viewer: Viewer) -> list[str]:
    who = f"{entry} for {sorted(viewer.roles)}"
    before, log = await world.snapshot(viewer, without=LEFT_OUT), await world.log(viewer)
    answer = await world.ask(entry, arguments(entry, unknown), viewer)
    faults = []
    if codes(answer) != ["FORBIDDEN"]:
        faults.append(f"{who}: {answer}")
    if await world.snapshot(viewer, without=LEFT_OUT) != before:
        faults.append(f"{who}: changed something")
    if (new := (await world.log(viewer))[len(log) :]) != ["ACCESS_DENIED"]:
        faults.append(f"{who}: recorded as {new}")
    return faults
