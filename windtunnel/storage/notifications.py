"""Notifications: numbered for each person in the transaction that causes them, read in order, marked as read."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import Notification, NotificationDraft, NotificationKind
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

_COLUMNS = "id, user_id, seq, kind, title, body, subject_kind, subject_id, created_ms, read_ms"
_INSERT = (
    "INSERT INTO notifications (id, user_id, seq, kind, title, body, subject_kind, subject_id, created_ms, tenant_id)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_LARGEST_SEQ = 2**62


async def insert(
    store: Store, tenant_id: str, draft: NotificationDraft, recipients: Iterable[str]
) -> Sequence[Notification]:
    """Tell each of these people of the tenant (who is none of them, is passed over), once; ordered by person.

    Call it in the transaction of the change. From here to its end nobody else can tell these people anything: that
    is what keeps the numbers of each without gaps, and in the order in which they can be read.
    """
    if not (known := sorted(known_ids(recipients))):
        return ()
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            # In the order of ids, so that two transactions never wait for each other.
            "INSERT INTO inboxes (tenant_id, user_id, last_seq)"
            " SELECT tenant_id, id, 1 FROM users WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id"
            " ON CONFLICT (tenant_id, user_id) DO UPDATE SET last_seq = inboxes.last_seq + 1"
            " RETURNING user_id, last_seq, {now} AS at_ms",
            tenant_id,
            known,
        )
        told = [_drafted(draft, row["user_id"], row["last_seq"], row["at_ms"]) for row in rows]
        if told:
            await store.of(tenant_id).execute_many(_INSERT, [(*row.values(), tenant_id) for row in told])
    return sorted((_notification(row) for row in told), key=lambda each: each.user_id)


async def read(store: Store, tenant_id: str, user_id: str, after: int, limit: int) -> Sequence[Notification]:
    """At most `limit` of the person's notifications with a seq above `after`, in order."""
    first = max(0, min(after, _LARGEST_SEQ))
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM notifications"  # noqa: S608
        " WHERE tenant_id = $1 AND user_id = $2 AND seq > $3 AND seq <= $4 ORDER BY seq",
        tenant_id,
        user_id,
        first,
        first + limit,  # there are no gaps
    )
    return [_notification(row) for row in rows]


async def page(
    store: Store, tenant_id: str, user_id: str, request: PageRequest, *, unread_only: bool = False
) -> Page[Notification]:
    """The person's notifications, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    where.add("user_id = ?", user_id)
    if unread_only:
        where.add("read_ms IS NULL")
    return await read_page(
        store.of(tenant_id), "notifications", _COLUMNS, where=where, request=request, decode=_notification, by=("seq",)
    )


async def get_many(store: Store, tenant_id: str, user_id: str, ids: Iterable[str]) -> dict[str, Notification]:
    """Those of the person's notifications that exist, by id: another's do not."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM notifications"  # noqa: S608
        " WHERE tenant_id = $1 AND user_id = $2 AND id = ANY($3)",
        tenant_id,
        user_id,
        known,
    )
    return {row["id"]: _notification(row) for row in rows}


async def last_seq(store: Store, tenant_id: str, user_id: str) -> int:
    """The number of the person's newest notification, 0 when there is none."""
    rows = await store.of(tenant_id).fetch(
        "SELECT last_seq FROM inboxes WHERE tenant_id = $1 AND user_id = $2", tenant_id, user_id
    )
    return int(rows[0]["last_seq"]) if rows else 0


async def unread(store: Store, tenant_id: str, user_id: str) -> int:
    """How many of the person's notifications are not read."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COUNT(*) AS unread FROM notifications WHERE tenant_id = $1 AND user_id = $2 AND read_ms IS NULL",
        tenant_id,
        user_id,
    )
    return int(rows[0]["unread"])


async def mark_read(store: Store, tenant_id: str, user_id: str, ids: Collection[str], through_seq: int) -> None:
    """Mark those named, and all up to a number, as read now; what was read before stays as it is."""
    async with store.transaction(tenant_id):
        # One at a time for each person: two that mark the same rows in different orders would wait for each other.
        await store.of(tenant_id).fetch(
            "SELECT last_seq FROM inboxes WHERE tenant_id = $1 AND user_id = $2 {for_update}", tenant_id, user_id
        )
        await store.of(tenant_id).fetch(
            "UPDATE notifications SET read_ms = {now}"
            " WHERE tenant_id = $1 AND user_id = $2 AND read_ms IS NULL AND (seq <= $3 OR id = ANY($4))",
            tenant_id,
            user_id,
            through_seq,
            known_ids(ids),
        )


def _drafted(draft: NotificationDraft, user_id: str, seq: int, at_ms: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": user_id,
        "seq": seq,
        "kind": draft.kind.value,
        "title": draft.title,
        "body": draft.body,
        "subject_kind": draft.subject.kind.value,
        "subject_id": draft.subject.id,
        "created_ms": at_ms,
    }


def _notification(row: dict[str, Any]) -> Notification:
    return Notification(
        id=row["id"],
        user_id=row["user_id"],
        seq=row["seq"],
        kind=NotificationKind(row["kind"]),
        title=row["title"],
        body=row["body"],
        subject=Subject(Kind(row["subject_kind"]), row["subject_id"]),
        created_at=moment(row["created_ms"]),
        read_at=optional_moment(row.get("read_ms")),
    )
