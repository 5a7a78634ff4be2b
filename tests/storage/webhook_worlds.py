"""Webhooks and deliveries for stories: registered as the operation does, sealed with a key that nobody keeps."""

from collections.abc import Sequence
from datetime import timedelta

from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import Delivery, Webhook
from windtunnel.storage import deliveries, delivery_pages, webhooks
from windtunnel.storage.store import Store

FINISHED = NotificationKind.SIMULATION_FINISHED
OTHER = NotificationKind.REVIEW_REQUESTED
SEALED = "v1.0123456789abcdef." + "A" * 40
BODY = '{"type":"SIMULATION_FINISHED","timestamp":"2026-01-01T00:00:00.000Z","data":{}}'


async def webhook(
    store: Store,
    viewer: Viewer,
    *,
    url: str = "https://hooks.example.com/in",
    kinds: Sequence[NotificationKind] = (FINISHED,),
    age_s: float = 0.0,
) -> Webhook:
    made = Webhook(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        url=url,
        kinds=tuple(kinds),
        created_at=await store.now() - timedelta(seconds=age_s),
        created_by=viewer.user.id,
    )
    await webhooks.insert(store, made, SEALED)
    return (await webhooks.get_many(store, viewer.tenant_id, [made.id]))[made.id]


async def queued(store: Store, viewer: Viewer, count: int = 1, body: str = BODY) -> None:
    """`count` messages for every webhook of the viewer's tenant that wants FINISHED."""
    for _ in range(count):
        await deliveries.enqueue(store, viewer.tenant_id, FINISHED, body)


async def listed(store: Store, webhook: Webhook) -> Sequence[Delivery]:
    """All deliveries of a webhook, newest first."""
    pages = await delivery_pages.pages_of_webhooks(store, webhook.tenant_id, [webhook.id], 100_000)
    return pages[webhook.id].items


async def stored(store: Store, webhook: Webhook) -> Webhook:
    return (await webhooks.get_many(store, webhook.tenant_id, [webhook.id]))[webhook.id]
