"""Scenarios: the users' words."""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.scenarios import Scenario
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.tables import Scenarios
from windtunnel.storage.texts import folded, known_ids, like_pattern, storable
from windtunnel.storage.times import milliseconds, moment

_COLUMNS = "id, tenant_id, title, text, created_ms, created_by"
_TITLE_ENDS = "\x1f"
"""Between title and text in what is searched, so that nothing is found across the two."""


async def insert(store: Store, scenario: Scenario) -> None:
    """Store a new scenario. Raises ConstraintError when its id is taken or its author unknown."""
    await store.of(scenario.tenant_id).run(
        Scenarios.insert(
            Scenarios(
                id=scenario.id,
                tenant_id=scenario.tenant_id,
                title=scenario.title,
                text=scenario.text,
                folded=folded(scenario.title + _TITLE_ENDS + scenario.text),
                created_ms=milliseconds(scenario.created_at),
                created_by=scenario.created_by,
            )
        )
    )


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Scenario]:
    """Those of the tenant's scenarios that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).run(
        Scenarios.select(
            Scenarios.id,
            Scenarios.tenant_id,
            Scenarios.title,
            Scenarios.text,
            Scenarios.created_ms,
            Scenarios.created_by,
        ).where(Scenarios.tenant_id == tenant_id, Scenarios.id.is_in(known))
    )
    return {row["id"]: _scenario(row) for row in rows}


async def page(store: Store, tenant_id: str, request: PageRequest, search: str | None = None) -> Page[Scenario]:
    """The tenant's scenarios, newest first; `search` keeps those whose title or text contains it in any letter case."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if search and not storable(search):
        where.add("FALSE")
    elif search:
        where.add("folded LIKE ? ESCAPE '\\'", like_pattern(search))
    return await read_page(store.of(tenant_id), "scenarios", _COLUMNS, where=where, request=request, decode=_scenario)


async def delete(store: Store, tenant_id: str, id: str) -> bool:
    """Delete a scenario with its architectures, simulations, events and commands; False when there is none."""
    if not known_ids([id]):
        return False
    rows = await store.of(tenant_id).fetch(
        "DELETE FROM scenarios WHERE tenant_id = $1 AND id = $2 RETURNING id", tenant_id, id
    )
    return bool(rows)


def _scenario(row: dict[str, Any]) -> Scenario:
    return Scenario(
        id=row["id"],
        tenant_id=row["tenant_id"],
        title=row["title"],
        text=row["text"],
        created_at=moment(row["created_ms"]),
        created_by=row["created_by"],
    )
