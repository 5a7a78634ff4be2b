"""Commands: numbered, ordered against the end, fixed once."""

import asyncio
from dataclasses import replace

import pytest

from tests.examples import support_triage
from tests.queries import counted
from tests.storage.worlds import demo, drafts, running, stored, stranger
from windtunnel.domain.errors import ConflictError, NotFoundError
from windtunnel.domain.ids import new_id
from windtunnel.domain.simulations import Command, Simulation
from windtunnel.storage import commands, events, transitions
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store, open_store

MODES = support_triage().failure_modes


async def append_and_fix(store: Store, simulation: Simulation, after: int, number: int, step: int) -> None:
    """What the conductor does: the step is fixed together with the events of the steps before."""
    async with store.transaction(simulation.tenant_id):
        await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, after, drafts(1))
        await commands.fix(store, simulation.tenant_id, simulation.id, number, step)


async def test_commands_are_numbered_and_come_back(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    first = await commands.add(store, you.tenant_id, simulation.id, MODES[0], None)
    second = await commands.add(store, you.tenant_id, simulation.id, MODES[1], "refund")
    assert (first.number, second.number) == (1, 2)
    assert await commands.list(store, simulation.tenant_id, simulation.id) == [
        Command(1, MODES[0], None, None),
        Command(2, MODES[1], "refund", None),
    ]
    assert await commands.list(store, you.tenant_id, new_id()) == []


async def test_commands_at_once_get_numbers_of_their_own(store: Store, database_url: str) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    other = await open_store(database_url)
    try:
        added = await asyncio.gather(
            *(commands.add(one, you.tenant_id, simulation.id, MODES[0], None) for one in (store, other) * 4)
        )
        assert sorted(command.number for command in added) == list(range(1, 9))
    finally:
        await other.close()


async def test_a_step_is_fixed_once_together_with_the_events_before_it(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    command = await commands.add(store, you.tenant_id, simulation.id, MODES[0], None)
    await append_and_fix(store, simulation, 2, command.number, 17)
    assert [one.step for one in await commands.list(store, simulation.tenant_id, simulation.id)] == [17]
    with pytest.raises(LeaseLostError):
        await append_and_fix(store, simulation, 3, command.number, 18)
    assert [one.step for one in await commands.list(store, simulation.tenant_id, simulation.id)] == [17]
    assert (await stored(store, simulation)).last_seq == 3


async def test_an_outdated_conductor_fixes_nothing(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    command = await commands.add(store, you.tenant_id, simulation.id, MODES[0], None)
    with pytest.raises(LeaseLostError):
        await append_and_fix(store, replace(simulation, fence=simulation.fence - 1), 2, command.number, 17)
    assert [one.step for one in await commands.list(store, simulation.tenant_id, simulation.id)] == [None]


async def test_no_command_after_the_end_nor_from_elsewhere(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    simulation = await running(store, you)
    for tenant_id, wanted in ((eve.tenant_id, simulation.id), (you.tenant_id, new_id()), (you.tenant_id, "\0")):
        with pytest.raises(NotFoundError):
            await commands.add(store, tenant_id, wanted, MODES[0], None)
    await transitions.cancelled(store, you.tenant_id, simulation.id, "Cancelled.")
    with pytest.raises(ConflictError) as refused:
        await commands.add(store, you.tenant_id, simulation.id, MODES[0], None)
    assert refused.value.current == "CANCELLED"
    assert await commands.list(store, simulation.tenant_id, simulation.id) == []


async def test_commands_of_many_in_one_statement(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    one, two, theirs = await running(store, you), await running(store, you), await running(store, eve)
    for simulation, mode in ((one, MODES[0]), (one, MODES[1]), (theirs, MODES[0])):
        await commands.add(store, simulation.tenant_id, simulation.id, mode, None)
    with counted(store) as statements:
        found = await commands.list_many(store, you.tenant_id, [one.id, two.id, theirs.id, "\0"])
    assert len(statements) == 1
    assert {key: list(many) for key, many in found.items()} == {
        one.id: list(await commands.list(store, one.tenant_id, one.id))
    }
    assert await commands.list_many(store, you.tenant_id, []) == {}
