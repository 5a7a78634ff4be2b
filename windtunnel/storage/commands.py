"""What users do to a run under way, numbered; the conductor fixes the step at which each takes effect."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.simulations import OPEN_STATUSES, Command
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store
from windtunnel.storage.tables import SimulationCommands
from windtunnel.storage.texts import known_ids
from windtunnel.storage.transitions import over

_MODE = TypeAdapter(FailureMode)


async def add(store: Store, tenant_id: str, simulation_id: str, mode: FailureMode, target: str | None) -> Command:
    """Accept a command for an open simulation. Raises NotFoundError, or ConflictError when it is over."""
    async with store.transaction(tenant_id):
        # The row's lock orders this against the end of the simulation and against other commands.
        rows = await store.of(tenant_id).fetch(
            "SELECT status FROM simulations WHERE tenant_id = $1 AND id = ANY($2) {for_update}",
            tenant_id,
            known_ids([simulation_id]),
        )
        if not rows:
            raise NotFoundError("There is no such simulation.", resource_id=simulation_id)
        if rows[0]["status"] not in OPEN_STATUSES:
            raise over(rows[0]["status"])
        last = await store.of(tenant_id).fetch(
            "SELECT COALESCE(MAX(number), 0) AS number FROM simulation_commands WHERE simulation_id = $1"
            " AND tenant_id = $2",
            simulation_id,
            tenant_id,
        )
        command = Command(number=last[0]["number"] + 1, mode=mode, target=target, step=None)
        await store.of(tenant_id).fetch(
            "INSERT INTO simulation_commands (simulation_id, number, tenant_id, mode, target, created_ms)"
            " VALUES ($1, $2, $3, $4, $5, {now})",
            simulation_id,
            command.number,
            tenant_id,
            _MODE.dump_json(mode).decode(),
            target,
        )
    return command


async def list(store: Store, tenant_id: str, simulation_id: str) -> Sequence[Command]:  # noqa: A001 - reads `commands.list`
    """All commands of a simulation, in order."""
    rows = await store.of(tenant_id).run(
        SimulationCommands.select(
            SimulationCommands.number, SimulationCommands.mode, SimulationCommands.target, SimulationCommands.step
        )
        .where(SimulationCommands.tenant_id == tenant_id, SimulationCommands.simulation_id == simulation_id)
        .order_by(SimulationCommands.number)
    )
    return [_command(row) for row in rows]


async def list_many(store: Store, tenant_id: str, simulation_ids: Iterable[str]) -> dict[str, Sequence[Command]]:
    """The commands of each of the tenant's simulations that has any, in order, in one statement."""
    found: dict[str, Sequence[Command]] = {}
    if ids := known_ids(simulation_ids):
        rows = await store.of(tenant_id).run(
            SimulationCommands.select(
                SimulationCommands.simulation_id,
                SimulationCommands.number,
                SimulationCommands.mode,
                SimulationCommands.target,
                SimulationCommands.step,
            )
            .where(SimulationCommands.tenant_id == tenant_id, SimulationCommands.simulation_id.is_in(ids))
            .order_by(SimulationCommands.simulation_id, SimulationCommands.number)
        )
        for row in rows:
            found[row["simulation_id"]] = (*found.get(row["simulation_id"], ()), _command(row))
    return found


async def fix(store: Store, tenant_id: str, simulation_id: str, number: int, step: int) -> None:
    """Say at which engine step a command takes effect, once and for all.

    Call it in the transaction that appends the events of the steps before: that one checks the fence. Raises
    LeaseLostError when the step is fixed already.
    """
    rows = await store.of(tenant_id).fetch(
        "UPDATE simulation_commands SET step = $3 WHERE simulation_id = $1 AND number = $2 AND step IS NULL"
        " AND tenant_id = $4 RETURNING number",
        simulation_id,
        number,
        step,
        tenant_id,
    )
    if not rows:
        raise LeaseLostError(simulation_id)


def _command(row: dict[str, Any]) -> Command:
    return Command(row["number"], _MODE.validate_json(row["mode"]), row["target"], row["step"])
