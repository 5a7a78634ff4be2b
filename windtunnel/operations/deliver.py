"""One attempt to deliver a message to a webhook, and what follows from it."""

import random
from datetime import UTC, datetime

import structlog

from windtunnel.delivery.errors import BusyError
from windtunnel.delivery.signing import signed_headers
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.policy import WEBHOOK_BUSY_RETRY_MS
from windtunnel.domain.webhooks import (
    WEBHOOK_ATTEMPTS_MAX,
    Answer,
    ClaimedDelivery,
    DeliveryStatus,
    place_of_secret,
    verdict_on,
)
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries
from windtunnel.storage.errors import DeliveryLostError
from windtunnel.vault.sealing import UnsealError

GIVEN_UP = "Too many processes that tried to deliver this came to an end."
NO_SECRET = "The webhook's secret cannot be opened: the server has another key. Register the webhook again."  # noqa: S105

log = structlog.get_logger()


async def deliver(services: Services, claimed: ClaimedDelivery) -> None:
    """Attempt a delivery that this process has claimed, once, and store what became of it.

    The message counts as sent only once that is stored: a process that dies in between makes it come again, with the
    same `webhook-id`. What could not even be tried comes again soon, and the attempt does not count. Does nothing when
    the webhook is gone or somebody else has the delivery. Raises UnavailableError when the database is down; the
    delivery can be claimed again later.
    """
    try:
        try:
            answer = await _attempt(services, claimed)
        except BusyError:
            await deliveries.release(services.store, [claimed], due_in_ms=WEBHOOK_BUSY_RETRY_MS)
            return
        verdict = verdict_on(answer, claimed.attempts, random.random())
        await deliveries.settle(services.store, claimed, answer.status, verdict)
    except DeliveryLostError:
        log.debug("webhook gone, or delivered by someone else", webhook_id=claimed.webhook_id, delivery_id=claimed.id)
        return
    if verdict.status is DeliveryStatus.DEAD:
        log.warning(
            "message to webhook given up",
            tenant_id=claimed.tenant_id,
            webhook_id=claimed.webhook_id,
            delivery_id=claimed.id,
            attempts=claimed.attempts,
            reason=verdict.error,
        )


async def _attempt(services: Services, claimed: ClaimedDelivery) -> Answer:
    if claimed.attempts > WEBHOOK_ATTEMPTS_MAX:
        return Answer(error=GIVEN_UP)
    outgoing = await deliveries.outgoing(services.store, claimed)
    try:
        secret = services.vault.unseal(outgoing.sealed_secret, place_of_secret(claimed.tenant_id, claimed.webhook_id))
    except UnsealError as error:
        log.error("secret of webhook cannot be opened", webhook_id=claimed.webhook_id, reason=str(error))  # noqa: TRY400
        return Answer(error=NO_SECRET)
    message_id = Subject(Kind.WEBHOOK_DELIVERY, claimed.id).global_id
    # The clock of the world, not the store's: the receiver compares it with its own.
    headers = signed_headers(secret, message_id, datetime.now(UTC), outgoing.body)
    return await services.courier.post(outgoing.url, headers, outgoing.body.encode(), tenant_id=claimed.tenant_id)
