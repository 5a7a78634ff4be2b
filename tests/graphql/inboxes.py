"""People who are told something, and what they see of it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.graphql.masking import public_errors
from schema.ids import Kind, encode
from tests.graphql.world import Client
from windtunnel.domain.entities import Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.notify import announce_notifications, notify
from windtunnel.operations.services import Services

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"
EVERYTHING = """query ($first: Int, $after: String, $unreadOnly: Boolean) {
  viewer { unreadNotifications }
  notifications(first: $first, after: $after, unreadOnly: $unreadOnly) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id seq kind title body createdAt readAt subject { __typename id } } } }"""
FOLLOW = "subscription ($after: Int) { notificationReceived(after: $after) { id seq title subject { id } } }"


async def tell(services: Services, title: str, *people: Client, subject: Subject | None = None) -> Sequence[str]:
    """Tell people what happened; the ids of the notifications in the order of people."""
    announcement = await notify(
        services,
        people[0].signed_in.tenant_id,
        NotificationKind.SIMULATION_FINISHED,
        title=title,
        body="It took 12 events.",
        subject=subject or Subject(Kind.SIMULATION, new_id()),
        recipients=[each.signed_in.user.id for each in people],
    )
    await announce_notifications(services.bus, announcement)
    ids = {each.user_id: encode(Kind.NOTIFICATION, each.id) for each in announcement.notifications}
    return [ids[each.signed_in.user.id] for each in people]


async def received(client: Client, after: int | None = None, document: str = FOLLOW) -> AsyncGenerator[Any, None]:
    """Notifications as they come; ValueError with its code when the stream ends in an error."""
    async with aclosing(await client.schema.stream(document, {"after": after}, client.context())) as results:
        async for result in results:
            assert isinstance(result, ExecutionResult | PreExecutionError)
            for error in public_errors(result.errors or [], "test"):
                raise ValueError(str((error.extensions or {}).get("code")))
            assert result.data
            yield result.data["notificationReceived"]


async def seen(client: Client, **how: Any) -> Any:
    return await client.get(EVERYTHING, how)


async def mark(client: Client, **input: Any) -> Any:
    return await client.do("markNotificationsRead", "unread", input)
