"""An experiment's events as a log that can be followed, and telling followers of new ones."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.experiments import Experiment, ExperimentEvent, ExperimentStatus
from windtunnel.operations.announce import READ_THE_LOG, packed, wake_conductor
from windtunnel.operations.services import Services
from windtunnel.storage import experiments
from windtunnel.storage.store import Store
from windtunnel.streams.bus import Bus
from windtunnel.streams.log import Log

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def experiment_channel(experiment_id: str) -> str:
    """Where it is announced how an experiment goes on."""
    return f"experiment:{experiment_id}"


def experiment_log(store: Store, tenant_id: str, experiment_id: str) -> Log[ExperimentEvent]:
    """The log and its doorbell; reading raises NotFoundError once the experiment is deleted."""

    async def read(after: int, limit: int) -> Sequence[ExperimentEvent]:
        found = await experiments.read_events(store, tenant_id, experiment_id, after, limit)
        if not found and await experiments.get(store, tenant_id, experiment_id) is None:
            raise not_found(experiment_id)
        return found

    def decode(message: str) -> Sequence[ExperimentEvent]:
        return [
            ExperimentEvent(
                experiment_id, seq, _EPOCH + timedelta(milliseconds=at_ms), ExperimentStatus(status), progress
            )
            for seq, at_ms, status, progress in orjson.loads(message)
        ]

    return Log(experiment_channel(experiment_id), read, decode)


async def announce_experiment(bus: Bus, event: ExperimentEvent) -> None:
    """Tell followers of this event, which is stored by now; `bus` is the one at home."""
    row = (event.seq, (event.at - _EPOCH) // _MILLISECOND, event.status.value, event.progress)
    await bus.publish(experiment_channel(event.experiment_id), packed([row]))


async def announce_experiments_deleted(bus: Bus, experiment_ids: Iterable[str]) -> None:
    """Have followers and conductors look, and find the experiments gone."""
    for experiment_id in experiment_ids:
        await bus.publish(experiment_channel(experiment_id), READ_THE_LOG)
        await wake_conductor(bus, experiment_id)


async def current(services: Services, tenant_id: str, experiment_id: str) -> Experiment:
    """The experiment as it is now. Raises NotFoundError."""
    found = await experiments.get(services.home.store, tenant_id, experiment_id)
    if found is None:
        raise not_found(experiment_id)
    return found


def not_found(experiment_id: str) -> NotFoundError:
    """There is no such experiment, or it belongs to someone else."""
    return NotFoundError("There is no such experiment.", resource_id=experiment_id)
