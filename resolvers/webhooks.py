"""Webhooks and their deliveries: reading, registering, deleting."""

from collections.abc import Collection, Sequence

from resolvers.context import Context
from resolvers.loaders import DeliverySlice
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.pages import Page
from windtunnel.domain.permissions import Action, allows
from windtunnel.domain.webhooks import Delivery, Webhook
from windtunnel.operations.delete_webhook import delete_webhook
from windtunnel.operations.read_webhooks import read_webhooks
from windtunnel.operations.register_webhook import Registered, register_webhook


async def webhook(context: Context, id: str) -> Webhook | None:
    """The webhook of the viewer's tenant, None when there is none that they may see: only some roles see any."""
    return await context.loaders.webhooks.load(id) if _may_read(context) else None


async def delivery(context: Context, id: str) -> Delivery | None:
    """The delivery to a webhook of the viewer's tenant, None when there is none that they may see."""
    return await context.loaders.deliveries.load(id) if _may_read(context) else None


async def every(context: Context) -> Sequence[Webhook]:
    """The tenant's webhooks, newest first."""
    return await read_webhooks(context.services, context.signed_in())


async def dead_letters(context: Context, id: str) -> int:
    """How many messages to the webhook were given up."""
    return await context.loaders.dead_letters.load(id) or 0


async def deliveries(context: Context, id: str, how: DeliverySlice) -> Page[Delivery]:
    """Messages to the webhook, newest first."""
    return await context.loaders.webhook_deliveries.load(id, how)


async def register(
    context: Context, url: str, kinds: Collection[NotificationKind], idempotency_key: str | None
) -> Registered:
    """A new webhook with its secret."""
    return await register_webhook(context.services, context.signed_in(), url, kinds, idempotency_key=idempotency_key)


async def delete(context: Context, id: str) -> str:
    """The id of the webhook that is gone."""
    return await delete_webhook(context.services, context.signed_in(), id)


def _may_read(context: Context) -> bool:
    return allows(context.signed_in(), Action.READ_WEBHOOKS)
