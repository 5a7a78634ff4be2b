"""Watching one's own notifications: without gap or repeat, stored ones first, for as long as one likes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.notifications import Notification
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.inbox import inbox_log
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import notifications
from windtunnel.streams.follow import follow


async def watch_notifications(
    services: Services, viewer: Viewer, after: int | None = None
) -> AsyncGenerator[Notification]:
    """The viewer's notifications numbered above `after` (None: only new ones). It never ends by itself.

    Raises ForbiddenError and UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_NOTIFICATIONS)
    tenant_id, user_id = viewer.tenant_id, viewer.user.id
    if after is None:
        after = await notifications.last_seq(services.store, tenant_id, user_id)
    log = inbox_log(services.store, tenant_id, user_id)
    async with aclosing(follow(services.hub, log, after, _is_last)) as told:
        async for each in told:
            yield each


def _is_last(_: Notification) -> bool:
    return False
