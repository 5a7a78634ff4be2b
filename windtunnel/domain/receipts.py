"""Receipts: what is left on record of an environment that is gone, and proves that nothing else is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import rfc8785

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment, Resource


@dataclass(frozen=True, slots=True)
class Receipt:
    """RFC 8785 JSON, and the SHA-256 of it in hex."""

    text: str
    digest: str


def receipt_of(
    environment: Environment, resources: Iterable[Resource], finished_at: datetime, processes_ended: int
) -> Receipt:
    """The receipt of an environment each of whose resources has just been looked for, and was absent.

    `processes_ended` is how many runs of code were ended for it, by whoever came to its end.
    """
    started_at = environment.cleanup_started_at or finished_at
    text = rfc8785.dumps(
        {
            "environment": Subject(Kind.ENVIRONMENT, environment.id).global_id,
            "tenant": Subject(Kind.TENANT, environment.tenant_id).global_id,
            "namespace": environment.namespace,
            "startedAt": _spelt(started_at),
            "finishedAt": _spelt(finished_at),
            "processesEnded": processes_ended,
            "resources": [
                {
                    "key": each.key,
                    "kind": each.kind.value,
                    "locator": each.locator,
                    "createdAt": _spelt(each.created_at),
                    "removedAt": _spelt(each.removed_at or finished_at),
                    "probe": "ABSENT",
                }
                for each in resources
            ],
        }
    ).decode()
    return Receipt(text, sha256(text.encode()).hexdigest())


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
