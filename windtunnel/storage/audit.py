"""The audit log: appended in the transaction of the change it tells of, read, never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from windtunnel.domain.audit import (
    COLUMNS,
    GENESIS_HASH,
    REQUEST_ID_MAX_CHARS,
    SUBJECT_ID_MAX_CHARS,
    AuditDraft,
    AuditEntry,
    AuditFilter,
    canonical_details,
    pieces,
)
from windtunnel.domain.audit_details import spelt
from windtunnel.domain.ids import new_id
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, cleaned_deeply, known_ids
from windtunnel.storage.times import milliseconds

_NAMES = ", ".join(COLUMNS)
_APPEND = {
    "postgres": (
        "SELECT * FROM append_audit_entry($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ARRAY[$11, $12, $13, $14], $15)"
    ),
    "sqlite": (
        "INSERT INTO audit_entries (tenant_id, seq, id, at_ms, actor_id, token_id, action, subject_kind, subject_id,"
        " reason, request_id, details, previous_hash, hash)"
        " SELECT $1, place.seq, $2, place.at_ms, $3, $4, $5, $6, $7, $8, $9, $10, place.previous_hash,"
        " sha256_hex($11 || place.at_ms || $12 || place.previous_hash || $13 || place.seq || $14) FROM"
        " (SELECT COALESCE(head.seq, 0) + 1 AS seq, COALESCE(head.hash, $15) AS previous_hash, {now} AS at_ms"
        " FROM (SELECT 1) AS one LEFT JOIN (SELECT seq, hash FROM audit_entries WHERE tenant_id = $1"
        " ORDER BY seq DESC LIMIT 1) AS head ON TRUE) AS place RETURNING seq, at_ms, previous_hash, hash"
    ),
}
"""One round trip each, so that nobody waits for the chain longer than they must. In PostgreSQL it is a function: the
chain's lock is waited for before its end is read. The hash is put together there from `pieces`."""


async def append(store: Store, tenant_id: str, draft: AuditDraft) -> AuditEntry:
    """Add an entry to the tenant's chain, in this task's transaction if there is one.

    Make it the last statement of that transaction: from here to its end nobody else can append to the chain.
    """
    blank = _blank(tenant_id, draft)
    last = store.clock_offset // timedelta(milliseconds=1) if store.dialect == "postgres" else GENESIS_HASH
    rows = await store.of(tenant_id).fetch(
        _APPEND[store.dialect],
        blank.tenant_id,
        blank.id,
        blank.actor_id,
        blank.token_id,
        blank.action,
        blank.subject_kind,
        blank.subject_id,
        blank.reason,
        blank.request_id,
        blank.details,
        *pieces(blank),
        last,
    )
    return replace(blank, **rows[0])


def _blank(tenant_id: str, draft: AuditDraft) -> AuditEntry:
    """The entry but for its place in the chain."""
    return AuditEntry(
        tenant_id=tenant_id,
        seq=0,
        id=new_id(),
        at_ms=0,
        actor_id=draft.actor_id,
        token_id=draft.token_id,
        action=draft.action.value,
        subject_kind=draft.subject.kind.value,
        subject_id=cleaned(draft.subject.id[:SUBJECT_ID_MAX_CHARS]),
        reason=draft.reason and cleaned(draft.reason),
        request_id=cleaned(draft.request_id[:REQUEST_ID_MAX_CHARS]),
        details=canonical_details(cleaned_deeply(spelt(draft.details))),
        previous_hash="",
        hash="",
    )


async def read(store: Store, tenant_id: str, after_seq: int, limit: int) -> Sequence[AuditEntry]:
    """At most `limit` entries after a sequence number, oldest first."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_NAMES} FROM audit_entries WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",  # noqa: S608
        tenant_id,
        after_seq,
        limit,
    )
    return [AuditEntry(**row) for row in rows]


async def page(store: Store, tenant_id: str, request: PageRequest, filter: AuditFilter) -> Page[AuditEntry]:
    """The tenant's entries that pass the filter, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if filter.actions is not None:
        where.add("action = ANY(?)", sorted(action.value for action in filter.actions))
    if filter.actor_id is not None:
        where.add("actor_id = ANY(?)", known_ids([filter.actor_id]))
    if filter.subject is not None:
        where.add("subject_kind = ? AND subject_id = ?", filter.subject.kind.value, cleaned(filter.subject.id))
    if filter.since is not None:
        where.add("at_ms >= ?", milliseconds(filter.since))
    if filter.until is not None:
        where.add("at_ms < ?", milliseconds(filter.until))
    return await read_page(
        store.of(tenant_id),
        "audit_entries",
        _NAMES,
        where=where,
        request=request,
        decode=lambda row: AuditEntry(**{name: row[name] for name in COLUMNS}),
        by=("seq",),
    )


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, AuditEntry]:
    """Those of the tenant's entries that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_NAMES} FROM audit_entries WHERE tenant_id = $1 AND id = ANY($2)",  # noqa: S608
        tenant_id,
        known,
    )
    return {row["id"]: AuditEntry(**row) for row in rows}
