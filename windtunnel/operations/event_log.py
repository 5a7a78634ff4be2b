"""A simulation's events as a log that can be followed."""

from collections.abc import Sequence

from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.events import SimulationEvent
from windtunnel.operations.announce import decoder, events_channel
from windtunnel.storage import events, simulations
from windtunnel.storage.store import Store
from windtunnel.streams.log import Log


def event_log(store: Store, tenant_id: str, simulation_id: str) -> Log[SimulationEvent]:
    """The log and its doorbell; reading raises NotFoundError once the simulation is deleted."""

    async def read(after: int, limit: int) -> Sequence[SimulationEvent]:
        found = await events.read(store, tenant_id, simulation_id, after, limit)
        if not found and not await simulations.exists(store, tenant_id, simulation_id):
            raise not_found(simulation_id)
        return found

    return Log(events_channel(simulation_id), read, decoder(simulation_id))


def not_found(simulation_id: str) -> NotFoundError:
    """There is no such simulation, or it belongs to someone else."""
    return NotFoundError("There is no such simulation.", resource_id=simulation_id)
