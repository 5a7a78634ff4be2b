"""What people are told, and telling them."""

from collections.abc import Sequence

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import Notification, NotificationKind
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.notify import Announcement, announce_notifications, notify
from windtunnel.operations.services import Services
from windtunnel.storage import notifications


async def inbox(services: Services, viewer: Viewer) -> Sequence[Notification]:
    return await notifications.read(services.store, viewer.tenant_id, viewer.user.id, 0, 1_000)


async def tell(services: Services, viewer: Viewer, title: str, body: str = "\ud800") -> None:
    await announce_notifications(services.bus, await stored_for(services, viewer, title, body))


async def stored_for(services: Services, viewer: Viewer, title: str, body: str = "") -> Announcement:
    return await notify(
        services,
        viewer.tenant_id,
        NotificationKind.SIMULATION_FINISHED,
        title=title,
        body=body,
        subject=Subject(Kind.SIMULATION, new_id()),
        recipients=[viewer.user.id],
    )
