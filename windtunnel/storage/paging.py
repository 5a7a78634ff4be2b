"""Keyset pages, newest first if not asked otherwise, with everything that a page tells in one statement."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from windtunnel.domain.pages import Keyset, Page, PageRequest
from windtunnel.storage.store import Scope
from windtunnel.storage.texts import known_ids

T = TypeVar("T")
_LARGEST = 2**63 - 1


class Conditions:
    """The WHERE of a statement, grown condition by condition, with its arguments numbered."""

    def __init__(self) -> None:
        self.arguments: list[Any] = []
        self._conditions: list[str] = []

    def add(self, condition: str, *arguments: Any) -> None:
        """All must hold. In `condition`, `?` stands for each of `arguments`."""
        self._conditions.append(self.numbered(condition, *arguments))

    def numbered(self, condition: str, *arguments: Any) -> str:
        """The condition with its arguments numbered, without adding it."""
        for argument in arguments:
            self.arguments.append(argument)
            condition = condition.replace("?", f"${len(self.arguments)}", 1)
        return condition

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "TRUE"


def keyset_arguments(keyset: Keyset) -> tuple[int, str]:
    """The place as arguments: a cursor that a client made up must not upset the database."""
    number = max(-_LARGEST, min(keyset.number, _LARGEST))
    return number, next(iter(known_ids([keyset.id])), "")


async def read_page(
    scope: Scope,
    source: str,
    columns: str,
    *,
    where: Conditions,
    request: PageRequest,
    decode: Callable[[dict[str, Any]], T],
    by: Sequence[str] = ("created_ms", "id"),
    ascending: bool = False,
) -> Page[T]:
    """The page of table `source` that `request` asks for, ordered by the columns `by`: together they are unique.

    The largest come first, or last when `ascending`. `total` counts all rows under `where`, if wanted. has_previous
    and has_next tell whether there are ones before and beyond the page: newer and older ones, or the reverse.
    """
    below, above = (">", "<") if ascending else ("<", ">")
    all_rows = str(where)
    span, newer, older = all_rows, "FALSE", "FALSE"
    total = f"(SELECT COUNT(*) FROM {source} WHERE {all_rows})" if request.counted else "NULL"  # noqa: S608
    place, arguments = f"({', '.join(by)})", f"({', '.join('?' * len(by))})"
    if request.after:
        given = where.numbered(arguments, *keyset_arguments(request.after)[: len(by)])
        span += f" AND {place} {below} {given}"
        newer = f"EXISTS (SELECT 1 FROM {source} WHERE {all_rows} AND {place} {above}= {given})"  # noqa: S608
    if request.before:
        given = where.numbered(arguments, *keyset_arguments(request.before)[: len(by)])
        span += f" AND {place} {above} {given}"
        older = f"EXISTS (SELECT 1 FROM {source} WHERE {all_rows} AND {place} {below}= {given})"  # noqa: S608
    order = ", ".join(f"{column} {'DESC' if request.backward == ascending else 'ASC'}" for column in by)
    rows = await scope.fetch(
        f"SELECT whole.total AS _total, whole.newer AS _newer, whole.older AS _older, item.*"  # noqa: S608
        f" FROM (SELECT {total} AS total,"
        f" {newer} AS newer, {older} AS older) AS whole"
        f" LEFT JOIN (SELECT {columns} FROM {source} WHERE {span}"
        f" ORDER BY {order} LIMIT {request.limit + 1:d}) AS item ON TRUE ORDER BY {order}",
        *where.arguments,
    )
    whole = rows[0]
    found = [row for row in rows if row["id"] is not None]
    more = len(found) > request.limit
    found = found[: request.limit]
    if request.backward:
        found.reverse()
    return Page(
        items=[decode(row) for row in found],
        keys=[Keyset(row[by[0]], row["id"]) for row in found],
        has_next=bool(whole["_older"]) or (more and not request.backward),
        has_previous=bool(whole["_newer"]) or (more and request.backward),
        total=whole["_total"],
    )


async def read_pages(
    scope: Scope,
    source: str,
    columns: str,
    *,
    group: str,
    ids: Sequence[str],
    where: Conditions,
    limit: int,
    after: Keyset | None,
    decode: Callable[[dict[str, Any]], T],
) -> dict[str, Page[T]]:
    """For each of `ids` the first `limit` rows after `after` with that value in column `group`, in one statement.

    Ordered by created_ms and id, newest first; `total` and has_previous are as in `read_page`.
    """
    where.add(f"{group} = ANY(?)", list(ids))
    all_rows = str(where)
    follows = where.numbered("(created_ms, id) < (?, ?)", *keyset_arguments(after)) if after else "TRUE"
    rows = await scope.fetch(
        f"SELECT whole.{group} AS _group, whole.total AS _total, whole.newer AS _newer, item.*"  # noqa: S608
        f" FROM (SELECT {group}, COUNT(*) AS total, SUM(CASE WHEN {follows} THEN 0 ELSE 1 END) AS newer"
        f" FROM {source} WHERE {all_rows} GROUP BY {group}) AS whole"
        f" LEFT JOIN (SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY {group} ORDER BY created_ms DESC, id DESC)"
        f" AS _place FROM {source} WHERE {all_rows} AND {follows}) AS item"
        f" ON item.{group} = whole.{group} AND item._place <= {limit + 1:d}"
        " ORDER BY item.created_ms DESC, item.id DESC",
        *where.arguments,
    )
    grouped: dict[str, list[dict[str, Any]]] = {key: [] for key in ids}
    for row in rows:
        grouped[row["_group"]].append(row)
    return {key: _first_page(found, limit, decode) for key, found in grouped.items()}


def _first_page(rows: list[dict[str, Any]], limit: int, decode: Callable[[dict[str, Any]], T]) -> Page[T]:
    found = [row for row in rows if row["id"] is not None]
    return Page(
        items=[decode(row) for row in found[:limit]],
        keys=[Keyset(row["created_ms"], row["id"]) for row in found[:limit]],
        has_next=len(found) > limit,
        has_previous=bool(rows and rows[0]["_newer"]),
        total=rows[0]["_total"] if rows else 0,
    )
