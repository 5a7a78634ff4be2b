"""Webhooks: receivers outside that are told what notifications tell, and the messages to them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from resolvers import webhooks
from resolvers.loaders import DeliverySlice
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds
from schema.pages import After, Connection, First, page_request
from schema.payloads import Payload
from windtunnel.domain import webhooks as domain
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.webhooks import DeliveryStatus
from windtunnel.operations.register_webhook import Registered


@strawberry.type(description="A message to a webhook. Its id is the `webhook-id` of every request that carries it.")
class WebhookDelivery(Node):
    """Shows `webhooks.Delivery`."""

    kind: NotificationKind = strawberry.field(description="What it tells.")
    status: DeliveryStatus = strawberry.field(description="Where it is.")
    attempts: int = strawberry.field(description="How often it was tried to send it.")
    created_at: datetime = strawberry.field(description="When it was queued, with what it tells of.")
    due_at: datetime = strawberry.field(description="When the next attempt is due, or the last one was.")
    finished_at: datetime | None = strawberry.field(description="When it was delivered or given up; null before.")
    last_status: int | None = strawberry.field(
        description="HTTP status of the last attempt; null when there was no answer, or no attempt."
    )
    last_error: str | None = strawberry.field(description="Why the last attempt did not succeed, in plain text.")

    @classmethod
    def of(cls, delivery: domain.Delivery) -> Self:
        """The delivery as data."""
        return cls(
            id=encode(Kind.WEBHOOK_DELIVERY, delivery.id),
            kind=delivery.kind,
            status=delivery.status,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            due_at=delivery.due_at,
            finished_at=delivery.finished_at,
            last_status=delivery.last_status,
            last_error=delivery.last_error,
        )


@strawberry.type(description="A message to a webhook and its place in the list.")
class WebhookDeliveryEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after`.")
    node: WebhookDelivery = strawberry.field(description="The message.")


@strawberry.type(description="One page of messages to a webhook, newest first; finished ones are kept for 30 days.")
class WebhookDeliveryConnection(Connection):
    """Shows a page of `webhooks.Delivery`."""

    @resolved("The messages, each with its cursor.")
    def edges(self) -> list[WebhookDeliveryEdge]:
        """Every item with its cursor."""
        return [
            WebhookDeliveryEdge(cursor=cursor, node=WebhookDelivery.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The messages.")
    def nodes(self) -> list[WebhookDelivery]:
        """Every item."""
        return [WebhookDelivery.of(item) for item in self.page.items]


@strawberry.type(description="A URL outside that is told what notifications tell, signed as Standard Webhooks has it.")
class Webhook(Node):
    """Shows `webhooks.Webhook`."""

    url: str = strawberry.field(description="Where messages are posted to.")
    kinds: list[NotificationKind] = strawberry.field(description="What it is told.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    last_delivery_at: datetime | None = strawberry.field(description="When the last attempt ended; null before any.")
    last_status: int | None = strawberry.field(
        description="HTTP status of the last attempt; null when there was no answer, or no attempt."
    )
    raw: strawberry.Private[str]

    @resolved("Messages of the last 30 days that were given up; see `deliveries(status: DEAD)`.")
    async def dead_letters(self, info: Info) -> int:
        """Counted together with those of its neighbours."""
        return await webhooks.dead_letters(info.context, self.raw)

    @resolved("The messages to it, newest first.")
    async def deliveries(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Annotated[
            DeliveryStatus | None, strawberry.argument(description="Only those in this state.")
        ] = strawberry.UNSET,
    ) -> WebhookDeliveryConnection:
        """Loaded together with those of its neighbours."""
        request = page_request(first=given(first), after=given(after))
        how = DeliverySlice(request.limit, request.after, given(status))
        return WebhookDeliveryConnection(page=await webhooks.deliveries(info.context, self.raw, how))

    @classmethod
    def of(cls, webhook: domain.Webhook) -> Self:
        """The webhook as data."""
        return cls(
            id=encode(Kind.WEBHOOK, webhook.id),
            url=webhook.url,
            kinds=list(webhook.kinds),
            created_at=webhook.created_at,
            last_delivery_at=webhook.last_delivery_at,
            last_status=webhook.last_status,
            raw=webhook.id,
        )


@finds(Kind.WEBHOOK)
async def webhook_of(info: Info, raw: str) -> Webhook | None:
    """The webhook of the viewer's tenant with this stored id."""
    found = await webhooks.webhook(info.context, raw)
    return optional(Webhook.of, found)


@finds(Kind.WEBHOOK_DELIVERY)
async def delivery_of(info: Info, raw: str) -> WebhookDelivery | None:
    """The message with this stored id."""
    found = await webhooks.delivery(info.context, raw)
    return optional(WebhookDelivery.of, found)


@strawberry.input(description="Where to post messages, and which.")
class RegisterWebhookInput:
    """The input of `registerWebhook`."""

    url: str = strawberry.field(
        description="An https URL on the public internet, in ASCII and at most 2,000 characters. "
        "Redirects are not followed."
    )
    kinds: list[NotificationKind] = strawberry.field(description="What to tell it; at least one.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input give the first webhook again, for 24 hours, but not its secret.",
    )


@strawberry.type(description="Outcome of `registerWebhook`.")
class RegisterWebhookPayload(Payload):
    """The webhook and its secret, or why there is none."""

    webhook: Webhook | None = strawberry.field(default=None, description="The webhook.")
    secret: str | None = strawberry.field(
        default=None, description="What its messages are signed with (Standard Webhooks). Shown once: keep it now."
    )

    @classmethod
    def of(cls, registered: Registered) -> Self:
        """The webhook as data, with its secret the first time."""
        return cls(webhook=Webhook.of(registered.webhook), secret=registered.secret)


@strawberry.input(description="Which webhook to delete.")
class DeleteWebhookInput:
    """The input of `deleteWebhook`."""

    webhook_id: strawberry.ID = strawberry.field(description="A webhook of the tenant.")


@strawberry.type(description="Outcome of `deleteWebhook`.")
class DeleteWebhookPayload(Payload):
    """The id, or why nothing was deleted."""

    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the webhook, which is gone with the messages to it."
    )
