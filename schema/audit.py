"""The audit log: what was done, by whom, to what, and whether the record was tampered with."""

from datetime import datetime
from typing import Self

import orjson
import strawberry
from strawberry.scalars import JSON

from resolvers import audit, viewers
from schema.fields import resolved
from schema.ids import Kind, encode, raw_of, read_opaque
from schema.info import Info, given, optional
from schema.nodes import Node, finds, node_of
from schema.pages import Connection
from schema.viewers import User
from windtunnel.domain import audit as domain
from windtunnel.domain.audit import SUBJECT_ID_MAX_CHARS, AuditAction
from windtunnel.domain.chains import Verdict
from windtunnel.domain.entities import Subject
from windtunnel.domain.errors import UnavailableError

_NOBODY = "00000000-0000-0000-0000-000000000000"


@strawberry.type(description="What was done: who, what, to which thing, when, why. `hash` chains to the entry before.")
class AuditEntry(Node):
    """Shows `audit.AuditEntry`."""

    seq: int = strawberry.field(description="Its number in the tenant's chain, from 1 without gaps.")
    at: datetime = strawberry.field(description="When it was recorded, in the transaction of the change.")
    action: AuditAction = strawberry.field(description="What was done.")
    subject_id: strawberry.ID = strawberry.field(
        description="Global id of what it was done to, which may be gone; `node` does not know that of a feature flag."
    )
    reason: str | None = strawberry.field(description="Why, in the words of who did it; null when not asked for.")
    request_id: str = strawberry.field(description="Id of the request in the logs; empty when the system did it.")
    details: JSON = strawberry.field(description="What else is to be known, e.g. what was before and after.")
    hash: str = strawberry.field(
        description="SHA-256, in hex, of everything else that is stored, `previousHash` included, as RFC 8785 JSON."
    )
    previous_hash: str = strawberry.field(description="Hash of the entry before; 64 zeros in the first one.")
    entry: strawberry.Private[domain.AuditEntry]

    @resolved("Who did it; null when the system itself did.")
    async def actor(self, info: Info) -> User | None:
        """Loaded together with those of its neighbours."""
        if self.entry.actor_id is None:
            return None
        found = await viewers.person(info.context, self.entry.actor_id)
        return optional(User.of, found)

    @resolved("What it was done to; null when it is gone, or was none of the viewer's in the first place.")
    async def subject(self, info: Info) -> Node | None:
        """Loaded together with those of its neighbours."""
        return await node_of(info, self.entry.subject.kind, self.entry.subject.id)

    @classmethod
    def of(cls, entry: domain.AuditEntry) -> Self:
        """The entry as data. Raises UnavailableError for one that somebody has made unreadable."""
        try:
            return cls._shown(entry)
        except (ValueError, OverflowError, TypeError) as error:
            raise UnavailableError(
                f"Entry {entry.seq} of the audit log cannot be shown: somebody has changed it in the database. "
                "verifyAudit tells more."
            ) from error

    @classmethod
    def _shown(cls, entry: domain.AuditEntry) -> Self:
        "".join((entry.reason or "", entry.request_id, entry.subject_id)).encode()  # ValueError for what is no text
        return cls(
            id=encode(Kind.AUDIT_ENTRY, entry.id),
            seq=entry.seq,
            at=entry.at,
            action=AuditAction(entry.action),
            subject_id=encode(entry.subject.kind, entry.subject.id),
            reason=entry.reason,
            request_id=entry.request_id,
            details=JSON(orjson.loads(entry.details)),
            hash=entry.hash,
            previous_hash=entry.previous_hash,
            entry=entry,
        )


@finds(Kind.AUDIT_ENTRY)
async def audit_entry_of(info: Info, raw: str) -> AuditEntry | None:
    """The entry with this stored id, for those who may read the audit log."""
    found = await audit.entry(info.context, raw)
    return optional(AuditEntry.of, found)


@strawberry.type(description="An audit entry and its place in the list.")
class AuditEntryEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: AuditEntry = strawberry.field(description="The audit entry.")


@strawberry.type(description="One page of the audit log, newest first.")
class AuditEntryConnection(Connection):
    """Shows a page of `audit.AuditEntry`."""

    @resolved("The entries, each with its cursor.")
    def edges(self) -> list[AuditEntryEdge]:
        """Every item with its cursor."""
        return [
            AuditEntryEdge(cursor=cursor, node=AuditEntry.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The entries.")
    def nodes(self) -> list[AuditEntry]:
        """Every item."""
        return [AuditEntry.of(item) for item in self.page.items]


@strawberry.type(description="What recomputing the audit chain has found.")
class AuditVerification:
    """Shows `chains.Verdict`."""

    valid: bool = strawberry.field(description="Whether nothing was tampered with.")
    entries: int = strawberry.field(description="How many entries there are.")
    head: str | None = strawberry.field(description="Hash of the last one; null when there is none.")
    broken_at_seq: int | None = strawberry.field(
        description="First entry at which the chain or a checkpoint disagrees; null when none does."
    )
    checkpoints: int = strawberry.field(
        description="How many checkpoints outside of the database it was compared with."
    )

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """What was found as data."""
        return cls(
            valid=verdict.valid,
            entries=verdict.entries,
            head=verdict.head,
            broken_at_seq=verdict.broken.seq if verdict.broken else None,
            checkpoints=verdict.checkpoints,
        )


@strawberry.input(description="Which audit entries are wanted: all conditions hold together.")
class AuditFilter:
    """Conditions on audit entries."""

    actions: list[AuditAction] | None = strawberry.field(
        default=strawberry.UNSET, description="Those about one of these."
    )
    actor_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Those of this person.")
    subject_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those about this thing, by the `subjectId` of an entry or any global id."
    )
    from_: datetime | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="Those recorded at this time or later."
    )
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description="Those recorded before this time.")

    def wanted(self) -> domain.AuditFilter:
        """The conditions as plain values; an id that names nothing matches nothing."""
        actions, actor_id, subject_id = given(self.actions), given(self.actor_id), given(self.subject_id)
        return domain.AuditFilter(
            actions=None if actions is None else frozenset(actions),
            actor_id=None if actor_id is None else raw_of(Kind.USER, actor_id) or _NOBODY,
            subject=None if subject_id is None else _subject(subject_id),
            since=given(self.from_),
            until=given(self.to),
        )


def _subject(given_id: str) -> Subject:
    """What an id names; things that are no entities, like flags, can be the subject of an entry, too."""
    kind, colon, raw = (read_opaque(given_id) or "").partition(":")
    if not colon or kind not in Kind.__members__.values() or len(raw) > SUBJECT_ID_MAX_CHARS:
        return Subject(Kind.TENANT, _NOBODY)
    return Subject(Kind(kind), raw)
