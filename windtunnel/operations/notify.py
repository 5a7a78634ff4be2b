"""Telling people what happened: `notify` in the transaction in which it happens, `announce_notifications` after it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windtunnel.domain.entities import Subject
from windtunnel.domain.notifications import Notification, NotificationDraft, NotificationKind
from windtunnel.operations.inbox import announce_to
from windtunnel.operations.services import Services
from windtunnel.storage import notifications
from windtunnel.streams.bus import Bus


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was told, one notification for each person."""

    notifications: Sequence[Notification]


async def notify(
    services: Services,
    tenant_id: str,
    kind: NotificationKind,
    *,
    title: str,
    body: str,
    subject: Subject,
    recipients: Iterable[str],
) -> Announcement:
    """Tell people of the tenant (by id), in plain text.

    Call it in the transaction of the change, after the change and before its audit entry.
    """
    draft = NotificationDraft(kind, title, body, subject)
    return Announcement(await notifications.insert(services.store, tenant_id, draft, recipients))


async def announce_notifications(bus: Bus, announcement: Announcement) -> None:
    """Tell those who listen; the transaction has been committed."""
    for told in announcement.notifications:
        await announce_to(bus, told)
