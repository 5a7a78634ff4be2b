import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from windtunnel.domain.environments import (
    Environment,
    EnvironmentLimits,
    EnvironmentStatus,
    Resource,
    ResourceKind,
    ResourceStatus,
)
from windtunnel.domain.production import Snapshot
from windtunnel.domain.receipts import receipt_of

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PART = Resource("database", ResourceKind.DATABASE, "schema wte_0", ResourceStatus.REMOVED, AT, AT + SECOND)
ENVIRONMENT = Environment(
    id="e",
    tenant_id="t",
    slot=1,
    namespace="0" * 16,
    name="mine",
    status=EnvironmentStatus.DELETING,
    created_at=AT,
    created_by="u",
    request_id="",
    provision_by=AT + SECOND,
    expires_at=AT + SECOND,
    limits=EnvironmentLimits(),
    snapshot=Snapshot.of(0, ()),
    snapshot_digest="",
    due_at=AT,
    cleanup_started_at=AT,
)


def written(*parts: Resource, **about: Any) -> dict[str, Any]:
    receipt = receipt_of(replace(ENVIRONMENT, **about), parts, AT + 2 * SECOND, 3)
    assert receipt.digest == sha256(receipt.text.encode()).hexdigest()
    found: dict[str, Any] = json.loads(receipt.text)
    return found


def test_a_receipt_says_what_was_removed_and_when() -> None:
    receipt = written(PART)
    assert receipt["startedAt"] == "2026-11-21T12:00:00.000Z"
    assert receipt["finishedAt"] == "2026-11-21T12:00:02.000Z"
    assert receipt["processesEnded"] == 3
    assert receipt["resources"] == [
        {
            "key": "database",
            "kind": "DATABASE",
            "locator": "schema wte_0",
            "createdAt": "2026-11-21T12:00:00.000Z",
            "removedAt": "2026-11-21T12:00:01.000Z",
            "probe": "ABSENT",
        }
    ]


def test_a_receipt_is_the_same_whatever_else_is_known_of_the_environment() -> None:
    assert written(PART) == written(PART, name="another", attempts=3)
    assert written(PART) != written()
    assert written() != written(namespace="1" * 16)


def test_a_receipt_is_canonical() -> None:
    text = receipt_of(ENVIRONMENT, [PART], AT, 0).text
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
