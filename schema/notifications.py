"""Notifications: what the viewer, and nobody else, is told."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import notifications
from schema.fields import resolved
from schema.ids import Kind, demand, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds, node_of
from schema.pages import Connection
from schema.payloads import Payload
from windtunnel.domain import notifications as domain
from windtunnel.domain.entities import Subject
from windtunnel.domain.notifications import NotificationKind


@strawberry.type(description="What a person is told of what happened. `seq` counts the person's own, without gaps.")
class Notification(Node):
    """Shows `notifications.Notification`."""

    seq: int = strawberry.field(description="Its number among the viewer's notifications, from 1.")
    kind: NotificationKind = strawberry.field(description="What kind of thing happened.")
    title: str = strawberry.field(description="What happened, in a line of plain text.")
    body: str = strawberry.field(description="More about it, in plain text.")
    created_at: datetime = strawberry.field(description="When it happened.")
    read_at: datetime | None = strawberry.field(description="When the viewer marked it as read; null before.")
    about: strawberry.Private[Subject]

    @resolved("What it is about; null when that was deleted since.")
    async def subject(self, info: Info) -> Node | None:
        """Loaded together with those of its neighbours."""
        return await node_of(info, self.about.kind, self.about.id)

    @classmethod
    def of(cls, notification: domain.Notification) -> Self:
        """The notification as data."""
        return cls(
            id=encode(Kind.NOTIFICATION, notification.id),
            seq=notification.seq,
            kind=notification.kind,
            title=notification.title,
            body=notification.body,
            created_at=notification.created_at,
            read_at=notification.read_at,
            about=notification.subject,
        )


@finds(Kind.NOTIFICATION)
async def notification_of(info: Info, raw: str) -> Notification | None:
    """The viewer's own notification with this stored id."""
    found = await notifications.notification(info.context, raw)
    return optional(Notification.of, found)


@strawberry.type(description="A notification and its place in the list.")
class NotificationEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after`.")
    node: Notification = strawberry.field(description="The notification.")


@strawberry.type(description="One page of the viewer's notifications, newest first.")
class NotificationConnection(Connection):
    """Shows a page of `notifications.Notification`."""

    @resolved("The notifications, each with its cursor.")
    def edges(self) -> list[NotificationEdge]:
        """Every item with its cursor."""
        return [
            NotificationEdge(cursor=cursor, node=Notification.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The notifications.")
    def nodes(self) -> list[Notification]:
        """Every item."""
        return [Notification.of(item) for item in self.page.items]


@strawberry.input(description="Which of the viewer's notifications are read: at least one of these.")
class MarkNotificationsReadInput:
    """The input of `markNotificationsRead`."""

    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These, at most 100 at once."
    )
    through_seq: int | None = strawberry.field(
        default=strawberry.UNSET, description="Everything up to this sequence number."
    )

    def raw_ids(self) -> list[str] | None:
        """The stored ids; NotFoundError for one that cannot name a notification."""
        ids = given(self.ids)
        if ids is None:
            return None
        return [demand(Kind.NOTIFICATION, each, ("input", "ids", str(place))) for place, each in enumerate(ids)]


@strawberry.type(description="Outcome of `markNotificationsRead`.")
class MarkNotificationsReadPayload(Payload):
    """What is left, whether or not something was marked."""

    @resolved("How many of the viewer's notifications are not read now.")
    async def unread(self, info: Info) -> int:
        """Counted when asked for."""
        return await notifications.unread(info.context)
