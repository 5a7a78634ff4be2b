"""No id leads to another tenant: one of theirs and one of nothing are answered alike, wherever an id can be given.

The calls are made from the schema: a field that is added is walked the same day, or its absence from the tables of
`inputs` and `things` is named.
"""

from collections.abc import Iterator

import pytest

from schema.ids import Kind, decode, encode
from tests.walks.comparing import LEVELS, differences
from tests.walks.inputs import KINDS as WANTED
from tests.walks.inputs import arguments
from tests.walks.shape import Slot, ids_below_the_roots, slots
from tests.walks.things import KINDS, NAMED, beside, make, make_all
from tests.walks.world import ENTRIES, Snapshot, World, open_world, shown, unknown
from windtunnel.operations import active_workflows
from windtunnel.storage.store import Store

SILENT = {"mutation submitDeployment(input.evidenceIds)"}
"""What is no evidence for the package is told from nothing by nobody; see tests/graphql/test_pipeline_verbs.py."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment is left out because the machine is busy."""
    monkeypatch.setattr(active_workflows, "LOOK_WITHIN_S", 600.0)


async def test_their_things_and_nothing_are_answered_alike(store: Store) -> None:
    async with open_world(store) as world:
        theirs = await make_all(world, world.theirs)
        mine = await make_all(world, world.mine)
        faults, before = [], await _both(world)
        for slot in slots():
            for real, nothing in _pairs(theirs):
                faults += await differences(world, slot, real, nothing, mine.__getitem__)
            if (after := await _both(world)) != before:
                faults.append(f"{slot} has changed something")
            before = after
        assert faults == []


async def test_their_names_and_unknown_ones_are_answered_alike(store: Store) -> None:
    async with open_world(store) as world:
        faults = []
        mine = {kind: await make(world, world.mine, kind) for kind in (Kind.AGENT, Kind.ARCHITECTURE)}
        for slot in slots(NAMED):
            of_theirs = await NAMED[slot.path[-1]](world, world.theirs)
            before = await _both(world)
            faults += await differences(world, slot, of_theirs, _another(of_theirs), mine.__getitem__)
            if await _both(world) != before:
                faults.append(f"{slot} has changed something")
        assert faults == []


async def test_each_place_for_an_id_finds_what_is_mine(store: Store) -> None:
    """Else the walk above would compare refusals that have nothing to do with the id."""
    async with open_world(store) as world:
        kept: dict[Kind, str] = {}
        blind = [slot for slot in slots() if str(slot) not in SILENT and not await _finds(world, slot, kept)]
        assert [str(slot) for slot in blind] == [], "the call does not reach the look-up: add to tests/walks/inputs.py"


async def test_things_of_one_kind_are_not_found_as_another(store: Store) -> None:
    async with open_world(store) as world:
        mine = await make_all(world, world.mine)
        for kind, made in mine.items():
            for other in KINDS:
                answer = await world.ask(ENTRIES["node"], {"id": encode(other, _raw(made))}, world.mine)
                assert (answer["data"]["node"] is not None) == (other is kind), (kind, other)


def test_only_root_fields_take_ids() -> None:
    assert ids_below_the_roots() == [], "walk them, too: tests/walks/shape.py"


async def _both(world: World) -> tuple[Snapshot, Snapshot]:
    """All that either tenant has."""
    return await world.snapshot(world.theirs), await world.snapshot(world.mine)


def _pairs(theirs: dict[Kind, str]) -> Iterator[tuple[str, str]]:
    """Ids of theirs, each with one of nothing in the same words: of every kind, and of every wrong kind's thing."""
    others = [*list(theirs.values())[1:], next(iter(theirs.values()))]
    for (kind, real), other in zip(theirs.items(), others, strict=True):
        yield real, unknown(kind)
        yield encode(kind, _raw(other)), unknown(kind)


def _another(name: str) -> str:
    """A name of nothing, of the same form."""
    return name[::-1] if name != name[::-1] else name[:-1] + "0"


def _raw(made: str) -> str:
    found = decode(made)
    assert found
    return found[1]


async def _finds(world: World, slot: Slot, kept: dict[Kind, str]) -> bool:
    """Whether an id of mine, of some kind, is answered differently than one of nothing.

    What is only read is `kept` for the next place; what may be changed is made for this one alone.
    """
    name, likely = slot.path[-1].removesuffix("s").removesuffix("Id").lower(), WANTED.get(slot.path[-1])
    for kind in sorted(
        KINDS, key=lambda kind: kind is not likely and kind.value.lower() not in {name, slot.entry.name.lower()}
    ):
        answers = []
        made = kept.get(kind) or await make(world, world.mine, kind)
        if slot.entry.operation == "query":
            kept[kind] = made
        else:
            kept.pop(kind, None)
        own = await beside(world, kind, made)
        for named in (unknown(kind), made):
            given = arguments(slot.entry, own, slot.path, named)
            answers.append(shown(await world.ask(slot.entry, given, world.mine, LEVELS), named))
        if answers[0] != answers[1]:
            return True
    return False
