"""Webhooks: who wants to be told what, each message on its way, and what follows from an attempt to deliver it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.policy import (
    WEBHOOK_RETRY_AFTER_MAX_S,
    WEBHOOK_RETRY_AFTER_S,
    WEBHOOK_RETRY_JITTER,
)

WEBHOOK_ATTEMPTS_MAX = len(WEBHOOK_RETRY_AFTER_S) + 1
_GONE = 410


class DeliveryStatus(StrEnum):
    """Where a message is. A DEAD one was given up: it is a dead letter."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of the tenant; `last_status` is the HTTP status of the last attempt, None when there was no answer."""

    id: str
    tenant_id: str
    url: str
    kinds: tuple[NotificationKind, ...]
    created_at: datetime
    created_by: str
    last_delivery_at: datetime | None = None
    last_status: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook. `attempts` were begun; the next one is due at `due_at` while it is PENDING."""

    id: str
    webhook_id: str
    kind: NotificationKind
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that is this process's to attempt, under `fence`; this attempt is counted in `attempts`."""

    id: str
    tenant_id: str
    webhook_id: str
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: the HTTP `status` of the receiver, or the `error` that there is none for."""

    status: int | None = None
    error: str | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after an attempt; `retry_in_s` is set when it stays PENDING."""

    status: DeliveryStatus
    error: str | None = None
    retry_in_s: float | None = None


def place_of_secret(tenant_id: str, webhook_id: str) -> tuple[str, ...]:
    """Where the sealed secret of a webhook belongs: anywhere else it cannot be opened."""
    return ("webhooks", tenant_id, webhook_id)


def verdict_on(answer: Answer, attempts: int, luck: float) -> Verdict:
    """What follows from the answer to attempt number `attempts`; `luck` (0 to 1) spreads retries.

    Any 2xx is success; anything else, redirects included, is tried again until the attempts are used up, except that
    410 (Gone) ends it at once. A receiver may ask for a longer pause, not for a shorter one.
    """
    if answer.status is not None and 200 <= answer.status <= 299:
        return Verdict(DeliveryStatus.DELIVERED)
    error = answer.error or f"The receiver answered with HTTP status {answer.status}."
    if answer.status == _GONE or attempts >= WEBHOOK_ATTEMPTS_MAX:
        return Verdict(DeliveryStatus.DEAD, error)
    pause = WEBHOOK_RETRY_AFTER_S[max(attempts, 1) - 1] * (1 + WEBHOOK_RETRY_JITTER * (2 * luck - 1))
    asked = min(answer.retry_after_s or 0, WEBHOOK_RETRY_AFTER_MAX_S)
    return Verdict(DeliveryStatus.PENDING, error, max(pause, asked))


def message(kind: NotificationKind, happened_at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a delivery: the text that is signed and sent, the same in every attempt."""
    timestamp = happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {"type": kind.value, "timestamp": timestamp, "data": data}, ensure_ascii=True, separators=(",", ":")
    )
