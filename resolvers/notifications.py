"""What the viewer is told: reading it, following it, marking it as read. Nobody is shown what another is told."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from resolvers.context import Context
from resolvers.simulations import check_after
from windtunnel.domain.notifications import Notification
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.operations.mark_notifications_read import mark_notifications_read
from windtunnel.operations.watch_notifications import watch_notifications
from windtunnel.storage import notifications as stored


async def notification(context: Context, id: str) -> Notification | None:
    """The viewer's own notification, None when there is none."""
    return await context.loaders.notifications.load(id)


async def page(context: Context, request: PageRequest, *, unread_only: bool) -> Page[Notification]:
    """The viewer's notifications, newest first."""
    viewer = context.signed_in()
    return await stored.page(context.services.store, viewer.tenant_id, viewer.user.id, request, unread_only=unread_only)


async def unread(context: Context) -> int:
    """How many the viewer has not read."""
    viewer = context.signed_in()
    return await stored.unread(context.services.store, viewer.tenant_id, viewer.user.id)


async def mark_read(context: Context, ids: Sequence[str] | None, through_seq: int | None) -> None:
    """Mark the viewer's own as read."""
    await mark_notifications_read(context.services, context.signed_in(), ids, through_seq)


async def watch(context: Context, after: int | None) -> AsyncGenerator[Notification, None]:
    """The viewer's notifications after `after`, then live ones; None: live ones only."""
    check_after(after or 0)
    async with aclosing(watch_notifications(context.services, context.signed_in(), after)) as told:
        async for each in told:
            context.forget()  # what it is about is read anew, not as it was at the one before
            yield each
