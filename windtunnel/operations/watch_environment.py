"""Watching an environment: what happens to it without gap or repeat, stored first, until nothing of it is left."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import EnvironmentEvent, EnvironmentStatus
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import environment_channel, environment_decoder
from windtunnel.operations.environment_changes import current
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import environment_events
from windtunnel.storage.store import Store
from windtunnel.streams.follow import follow
from windtunnel.streams.log import Log


async def watch_environment(
    services: Services, viewer: Viewer, environment_id: str, after: int | None = 0
) -> AsyncGenerator[EnvironmentEvent]:
    """Events numbered above `after` (None: only new ones), ending with that of status DELETED.

    Raises ForbiddenError, NotFoundError and UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_ENVIRONMENT, Subject(Kind.ENVIRONMENT, environment_id))
    environment = await current(services, viewer.tenant_id, environment_id)
    if after is None:
        after = environment.last_seq
    if environment.is_over and after >= environment.last_seq:
        return
    log = _log(services.store, viewer.tenant_id, environment_id)
    # From a number that is not reached yet, the end would not be seen.
    async with aclosing(follow(services.hub, log, min(after, environment.last_seq), _is_last)) as events:
        async for event in events:
            if event.seq > after:
                yield event


def _log(store: Store, tenant_id: str, environment_id: str) -> Log[EnvironmentEvent]:
    async def read(after: int, limit: int) -> Sequence[EnvironmentEvent]:
        return await environment_events.read(store, tenant_id, environment_id, after, limit)

    return Log(environment_channel(environment_id), read, environment_decoder(environment_id))


def _is_last(event: EnvironmentEvent) -> bool:
    return event.status is EnvironmentStatus.DELETED
