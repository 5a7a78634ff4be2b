"""Agents: their rows and pages."""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.agents import Agent, Pointer
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import folded, known_ids, like_pattern
from windtunnel.storage.times import milliseconds, moment, optional_moment


async def insert(store: Store, agent: Agent) -> bool:
    """Store a new agent, with its pointer, which points to nothing; False when the tenant has one with its slug."""
    scope = store.of(agent.tenant_id)
    rows = await scope.fetch(
        "INSERT INTO agents (id, tenant_id, slug, name, description, folded, owner_id, created_ms, last_version_seq,"
        " revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 1)"
        " ON CONFLICT (tenant_id, slug) DO NOTHING RETURNING id",
        agent.id,
        agent.tenant_id,
        agent.slug,
        agent.name,
        agent.description,
        folded(f"{agent.slug} {agent.name} {agent.description}"),
        agent.owner_id,
        milliseconds(agent.created_at),
    )
    if not rows:
        return False
    await scope.fetch(
        "INSERT INTO pointers (tenant_id, agent_id, fence, release_seq) VALUES ($1, $2, 0, 0)",
        agent.tenant_id,
        agent.id,
    )
    return True


async def get(store: Store, tenant_id: str, id: str) -> Agent | None:
    """The tenant's agent, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Agent]:
    """Those of the tenant's agents that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM agents WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: agent_of(row) for row in rows}


async def of_slug(store: Store, tenant_id: str, slug: str) -> Agent | None:
    """The tenant's agent with this slug, or None."""
    if not (known := known_ids([slug])):
        return None
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM agents WHERE tenant_id = $1 AND slug = $2", tenant_id, known[0]
    )
    return agent_of(rows[0]) if rows else None


async def page(store: Store, tenant_id: str, request: PageRequest, search: str | None = None) -> Page[Agent]:
    """The tenant's agents, newest first; with `search` those that have it in slug, name or description."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if search:
        where.add("folded LIKE ? ESCAPE '\\'", like_pattern(search))
    return await read_page(store.of(tenant_id), "agents", "*", where=where, request=request, decode=agent_of)


async def pointers(store: Store, tenant_id: str, agent_ids: Iterable[str]) -> dict[str, Pointer]:
    """What is in production of these agents, by agent."""
    if not (known := known_ids(agent_ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM pointers WHERE tenant_id = $1 AND agent_id = ANY($2)", tenant_id, known
    )
    return {row["agent_id"]: pointer_of(row) for row in rows}


def agent_of(row: dict[str, Any]) -> Agent:
    """A row of the table as the domain's value."""
    return Agent(
        id=row["id"],
        tenant_id=row["tenant_id"],
        slug=row["slug"],
        name=row["name"],
        description=row["description"],
        owner_id=row["owner_id"],
        created_at=moment(row["created_ms"]),
        last_version_seq=row["last_version_seq"],
        held_by=row["held_by"],
        held_at=optional_moment(row["held_ms"]),
        revision=row["revision"],
    )


def pointer_of(row: dict[str, Any]) -> Pointer:
    """A row of the table as the domain's value."""
    return Pointer(
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        fence=row["fence"],
        release_seq=row["release_seq"],
        version_id=row["version_id"],
        deployment_id=row["deployment_id"],
        package_digest=row["package_digest"],
        live_since=optional_moment(row["live_since_ms"]),
    )
