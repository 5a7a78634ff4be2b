"""Telling people what happened: `notify` in the transaction in which it happens, `announce_notifications` after it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windtunnel.domain.entities import Subject
from windtunnel.domain.notifications import TITLE_MAX_CHARS, Notification, NotificationDraft, NotificationKind
from windtunnel.domain.webhooks import message
from windtunnel.operations.announce import announce_deliveries
from windtunnel.operations.inbox import announce_to
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries, notifications
from windtunnel.storage.texts import cleaned
from windtunnel.streams.bus import Bus


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was told: one notification for each person, and so many messages to webhooks, which wait to be sent."""

    notifications: Sequence[Notification]
    deliveries: int


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
    """Tell people of the tenant (by id) and those of its webhooks that want to know, in plain text.

    Call it in the transaction of the change, after the change and before its audit entry.
    """
    draft = NotificationDraft(kind, cleaned(title[:TITLE_MAX_CHARS]), cleaned(body), subject)
    store = services.home.store
    async with store.transaction(tenant_id):
        told = await notifications.insert(store, tenant_id, draft, recipients)
        at = told[0].created_at if told else await store.now()
        data = {
            "title": draft.title,
            "body": draft.body,
            "subject": {"type": subject.kind.value, "id": subject.global_id},
        }
        queued = await deliveries.enqueue(store, tenant_id, kind, message(kind, at, data))
    return Announcement(told, queued)


async def announce_notifications(bus: Bus, announcement: Announcement) -> None:
    """Have those who listen hear of it, and webhooks be called; the transaction has been committed."""
    for told in announcement.notifications:
        await announce_to(bus, told)
    if announcement.deliveries:
        await announce_deliveries(bus)
