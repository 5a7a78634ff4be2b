"""Watching the review queue: how it moves, without gap or repeat, for as long as one likes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.permissions import Action
from windtunnel.domain.reviews import QueueEvent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_logs import queue_log
from windtunnel.operations.services import Services
from windtunnel.storage import tenant_logs
from windtunnel.streams.follow import follow


async def watch_review_queue(
    services: Services, viewer: Viewer, after: int | None = None
) -> AsyncGenerator[QueueEvent]:
    """Moves numbered above `after` (None: only new ones). It never ends by itself.

    Raises ForbiddenError and UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_REVIEW_QUEUE)
    if after is None:
        after = await tenant_logs.last_queue(services.store, viewer.tenant_id)
    log = queue_log(services.store, viewer.tenant_id)
    async with aclosing(follow(services.hub, log, after, _is_last)) as moves:
        async for move in moves:
            yield move


def _is_last(_: QueueEvent) -> bool:
    return False
