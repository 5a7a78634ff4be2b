"""Deliveries of webhooks as a queue: stored with the change that causes them, claimed, attempted, settled, swept."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.policy import (
    WEBHOOK_BODY_MAX_BYTES,
    WEBHOOK_DELIVERIES_AT_ONCE_PER_TENANT,
    WEBHOOK_DELIVERIES_KEPT_MS,
    WEBHOOK_DELIVERIES_PENDING_PER_TENANT,
    WEBHOOK_LEASE_MS,
)
from windtunnel.domain.webhooks import ClaimedDelivery, DeliveryStatus, Verdict
from windtunnel.storage.delivery_statements import ANY_DUE_DELIVERY, CLAIM_DELIVERIES, SWEEP_DELIVERIES
from windtunnel.storage.errors import DeliveryLostError
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned

TOO_LARGE = f"The message is larger than {WEBHOOK_BODY_MAX_BYTES // 1024} KiB and was never sent."
TOO_MANY = f"More than {WEBHOOK_DELIVERIES_PENDING_PER_TENANT:,} messages were waiting; this one was never sent."

_CLAIMS_LOCK = 0x64656C69
"""The advisory lock under which claims queue up, so that the counts they decide by are exact."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """All that is needed to send a claimed delivery; `body` is the text that is signed."""

    url: str
    sealed_secret: str
    body: str


async def enqueue(store: Store, tenant_id: str, kind: NotificationKind, body: str) -> int:
    """Queue `body` (of `webhooks.message`) for each of the tenant's webhooks that wants `kind`; for how many.

    Call it in the transaction of the change. What cannot be queued, because it is too large or too much waits
    already, is stored as dead, with the reason: nothing is lost without a trace, and no change fails for it.
    """
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "SELECT id, kinds, (SELECT COUNT(*) FROM webhook_deliveries WHERE tenant_id = $1 AND status = 'PENDING')"
            # A webhook that is deleted meanwhile would make the change fail.
            " AS pending, {now} AS now_ms FROM webhooks WHERE tenant_id = $1 ORDER BY id {for_key_share}",
            tenant_id,
        )
        wanting = [row for row in rows if kind.value in orjson.loads(row["kinds"])]
        queued = []
        for place, row in enumerate(wanting):
            reason = _never_sent(body, row["pending"] + place)
            status = DeliveryStatus.DEAD if reason else DeliveryStatus.PENDING
            now = row["now_ms"]
            text = "{}" if reason else body
            finished = now if reason else None
            queued.append((new_id(), tenant_id, row["id"], kind.value, text, status.value, now, finished, reason))
        if queued:
            await store.of(tenant_id).execute_many(
                "INSERT INTO webhook_deliveries (id, tenant_id, webhook_id, kind, body, status, attempts, created_ms,"
                " due_ms, finished_ms, last_error, fence) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7, $8, $9, 0)",
                queued,
            )
    return len(queued)


async def claim(store: Store, owner: str, limit: int) -> list[ClaimedDelivery]:
    """Take at most `limit` deliveries that are due and that nobody attempts, under a new fence, for WEBHOOK_LEASE_MS.

    Of a webhook and of a tenant only so many are attempted at a time, tenants take turns, and within a tenant those
    webhooks come first that answered well the last time: a receiver that does not answer holds up nobody but itself.
    Within a webhook the one that is due longest comes first.
    """
    if limit <= 0 or not await store.privileged(ANY_DUE_DELIVERY):
        return []  # the usual case costs no transaction
    async with store.transaction():
        if store.dialect == "postgres":
            await store.fetch(f"SELECT pg_advisory_xact_lock({_CLAIMS_LOCK})")
        rows = await store.privileged(
            CLAIM_DELIVERIES, owner, WEBHOOK_LEASE_MS, WEBHOOK_DELIVERIES_AT_ONCE_PER_TENANT, limit
        )
    return [ClaimedDelivery(**row) for row in rows]


async def outgoing(store: Store, claimed: ClaimedDelivery) -> Outgoing:
    """What to send. Raises DeliveryLostError."""
    rows = await store.of(claimed.tenant_id).fetch(
        "SELECT w.url, w.sealed_secret, d.body FROM webhook_deliveries AS d"
        " JOIN webhooks AS w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id"
        " WHERE d.tenant_id = $1 AND d.id = $2 AND d.fence = $3 AND d.status = 'PENDING'",
        claimed.tenant_id,
        claimed.id,
        claimed.fence,
    )
    if not rows:
        raise DeliveryLostError
    return Outgoing(**rows[0])


async def settle(store: Store, claimed: ClaimedDelivery, http_status: int | None, verdict: Verdict) -> None:
    """Store what became of an attempt, for the delivery and its webhook; the lease ends. Raises DeliveryLostError."""
    retry_in_ms = None if verdict.retry_in_s is None else int(verdict.retry_in_s * 1000)
    async with store.transaction(claimed.tenant_id):
        # The webhook first, as everywhere: whoever deletes it comes from there too.
        await store.of(claimed.tenant_id).fetch(
            "UPDATE webhooks SET last_delivery_ms = {now}, last_status = $3 WHERE tenant_id = $1 AND id = $2",
            claimed.tenant_id,
            claimed.webhook_id,
            http_status,
        )
        rows = await store.of(claimed.tenant_id).fetch(
            "UPDATE webhook_deliveries SET status = $4, due_ms = COALESCE({now} + $5, due_ms),"
            " finished_ms = CASE WHEN $5 IS NULL THEN {now} ELSE NULL END, last_status = $6, last_error = $7,"
            " lease_owner = NULL, lease_until_ms = NULL"
            " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'PENDING' RETURNING id",
            claimed.tenant_id,
            claimed.id,
            claimed.fence,
            verdict.status.value,
            retry_in_ms,
            http_status,
            verdict.error and cleaned(verdict.error),
        )
        if not rows:
            raise DeliveryLostError


async def release(store: Store, claimed: Iterable[ClaimedDelivery], *, due_in_ms: int | None = None) -> None:
    """Give claims up whose attempts did not come to an end and do not count.

    Others can claim them at once, or after `due_in_ms`.
    """
    for each in claimed:
        await store.of(each.tenant_id).fetch(
            "UPDATE webhook_deliveries SET attempts = attempts - 1, due_ms = COALESCE({now} + $4, due_ms),"
            " lease_owner = NULL, lease_until_ms = NULL"
            " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'PENDING' AND lease_owner IS NOT NULL",
            each.tenant_id,
            each.id,
            each.fence,
            due_in_ms,
        )


async def sweep(store: Store, limit: int) -> int:
    """Delete at most `limit` deliveries that were finished WEBHOOK_DELIVERIES_KEPT_MS ago, of all tenants; how many."""
    return len(await store.privileged(SWEEP_DELIVERIES, WEBHOOK_DELIVERIES_KEPT_MS, limit))


def _never_sent(body: str, pending: int) -> str | None:
    if len(body.encode()) > WEBHOOK_BODY_MAX_BYTES:
        return TOO_LARGE
    return TOO_MANY if pending >= WEBHOOK_DELIVERIES_PENDING_PER_TENANT else None
