"""A person's notifications as a log that can be followed, with a doorbell of their own."""

from collections.abc import Sequence

import orjson

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import Notification, NotificationKind
from windtunnel.operations.announce import packed
from windtunnel.storage import notifications
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds, moment
from windtunnel.streams.bus import Bus
from windtunnel.streams.log import Log


def inbox_channel(user_id: str) -> str:
    """Where a person's notifications are announced: to them alone."""
    return f"inbox:{user_id}"


def inbox_log(store: Store, tenant_id: str, user_id: str) -> Log[Notification]:
    """The log and its doorbell."""

    async def read(after: int, limit: int) -> Sequence[Notification]:
        return await notifications.read(store, tenant_id, user_id, after, limit)

    def decode(message: str) -> Sequence[Notification]:
        return [
            Notification(
                id=raw,
                user_id=user_id,
                seq=seq,
                kind=NotificationKind(kind),
                title=title,
                body=body,
                subject=Subject(Kind(subject_kind), subject_id),
                created_at=moment(created_ms),
            )
            for raw, seq, kind, title, body, subject_kind, subject_id, created_ms in orjson.loads(message)
        ]

    return Log(inbox_channel(user_id), read, decode)


async def announce_to(bus: Bus, told: Notification) -> None:
    """Tell those who follow the inbox of what is stored in it by now."""
    row = (
        told.id,
        told.seq,
        told.kind.value,
        told.title,
        told.body,
        told.subject.kind.value,
        told.subject.id,
        milliseconds(told.created_at),
    )
    await bus.publish(inbox_channel(told.user_id), packed([row]))
