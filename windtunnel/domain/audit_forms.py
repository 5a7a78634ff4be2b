"""Audit entries for other systems: as they are stored, as CloudEvents, as OCSF events."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import orjson

from windtunnel.domain.audit import AuditEntry, canonical
from windtunnel.domain.ocsf import ocsf_event
from windtunnel.domain.viewers import User


class AuditForm(StrEnum):
    """A form in which the audit log can be exported, one JSON object per line."""

    JSONL = "jsonl"
    CLOUDEVENTS = "cloudevents"
    OCSF = "ocsf"


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with what its ids stand for: the tenant's slug, and who did it, if somebody did."""

    entry: AuditEntry
    slug: str
    actor: User | None


def jsonl(told: Told) -> bytes:
    """Every stored column. Without `hash`, as canonical JSON (RFC 8785), it is what `hash` is the SHA-256 of."""
    record = canonical(told.entry)
    return record[:-1] + b',"hash":' + orjson.dumps(told.entry.hash) + b"}"


def cloudevent(told: Told) -> bytes:
    """CloudEvents 1.0 in JSON, the stored columns as its data."""
    entry = told.entry
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": entry.id,
            "source": f"/windtunnel/tenants/{told.slug}/audit",
            "type": f"windtunnel.audit.{entry.action.lower()}",
            "subject": f"{entry.subject_kind}/{entry.subject_id}",
            "time": entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sequence": f"{entry.seq:019d}",
            "datacontenttype": "application/json",
            "data": orjson.Fragment(jsonl(told)),
        }
    )


def ocsf(told: Told) -> bytes:
    """An OCSF event; the stored columns are in `unmapped`."""
    event = ocsf_event(told.entry, told.slug, told.actor)
    return orjson.dumps({**event, "unmapped": {"entry": orjson.Fragment(jsonl(told))}})


WRITTEN: dict[AuditForm, Callable[[Told], bytes]] = {
    AuditForm.JSONL: jsonl,
    AuditForm.CLOUDEVENTS: cloudevent,
    AuditForm.OCSF: ocsf,
}
