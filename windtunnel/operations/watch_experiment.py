"""Watching an experiment: how it goes on without gap or repeat, stored first, until it is over."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.experiments import ExperimentEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.experiment_log import current, experiment_log
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.streams.follow import follow


async def watch_experiment(
    services: Services, viewer: Viewer, experiment_id: str, after: int | None = 0
) -> AsyncGenerator[ExperimentEvent]:
    """Events numbered above `after` (None: only new ones), ending with the one that ends it.

    Raises ForbiddenError, NotFoundError and UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_EXPERIMENT, Subject(Kind.EXPERIMENT, experiment_id))
    experiment = await current(services, viewer.tenant_id, experiment_id)
    last = experiment.last_seq
    if after is None:
        after = last
    if experiment.status.is_final and after >= last:
        return
    log = experiment_log(services.home.store, viewer.tenant_id, experiment_id)
    # From a number that is not reached yet, the end would not be seen.
    async with aclosing(follow(services.home.hub, log, min(after, last), _is_last)) as events:
        async for event in events:
            if event.seq > after:
                yield event


def _is_last(event: ExperimentEvent) -> bool:
    return event.status.is_final
