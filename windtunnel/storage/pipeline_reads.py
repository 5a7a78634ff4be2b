"""What is shown of the pipeline beside its rows: read for many things at once, in one statement each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windtunnel.domain.agents import RETAINED_STATES, AgentVersion, Pointer
from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.pages import Keyset, Page
from windtunnel.domain.reviews import WAITING_STATUSES
from windtunnel.storage.agent_versions import version_of
from windtunnel.storage.package_checks import checks_from_json
from windtunnel.storage.paging import Conditions, read_pages
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

_HISTORY = (
    "(SELECT v.*, p.size_bytes, o.fence AS live_fence, o.release_seq AS live_seq, o.version_id AS live_version_id,"
    " o.deployment_id AS live_deployment_id, o.package_digest AS live_digest, o.live_since_ms, {now} AS now_ms"
    " FROM agent_versions AS v JOIN packages AS p ON p.tenant_id = v.tenant_id AND p.digest = v.package_digest"
    " JOIN pointers AS o ON o.tenant_id = v.tenant_id AND o.agent_id = v.agent_id) AS version"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A version in its agent's history, with all that a page of it shows. `pointer`: what is in production `now`."""

    version: AgentVersion
    size_bytes: int
    pointer: Pointer
    now: datetime


async def histories(
    store: Store, tenant_id: str, agent_ids: Iterable[str], limit: int, after: Keyset | None = None
) -> dict[str, Page[Listed]]:
    """For each agent the first `limit` of its bound versions after `after`, newest first, in one statement."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    where.add("bound")
    return await read_pages(
        store.of(tenant_id),
        _HISTORY,
        "*",
        group="agent_id",
        ids=known_ids(agent_ids),
        where=where,
        limit=limit,
        after=after,
        decode=_listed,
    )


async def retained(store: Store, tenant_id: str, agent_ids: Iterable[str]) -> dict[str, list[AgentVersion]]:
    """The versions of these agents that are retained, what was live last first."""
    found: dict[str, list[AgentVersion]] = {key: [] for key in agent_ids}
    if known := known_ids(found):
        for row in await store.of(tenant_id).fetch(
            "SELECT * FROM agent_versions WHERE tenant_id = $1 AND agent_id = ANY($2) AND state = ANY($3)"
            " ORDER BY last_release DESC",
            tenant_id,
            known,
            sorted(state.value for state in RETAINED_STATES),
        ):
            found[row["agent_id"]].append(version_of(row))
    return found


async def sizes(store: Store, tenant_id: str, digests: Iterable[str]) -> dict[str, int]:
    """How many bytes those of the tenant's packages have, by digest."""
    rows = await store.of(tenant_id).fetch(
        "SELECT digest, size_bytes FROM packages WHERE tenant_id = $1 AND digest = ANY($2)", tenant_id, list(digests)
    )
    return {row["digest"]: row["size_bytes"] for row in rows}


async def checks(store: Store, tenant_id: str, version_ids: Iterable[str]) -> dict[str, tuple[PackageCheck, ...]]:
    """What the checks of these versions found when they were last validated."""
    if not (known := known_ids(version_ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT version_id, checks FROM (SELECT version_id, checks, ROW_NUMBER() OVER"
        " (PARTITION BY version_id ORDER BY created_ms DESC, id DESC) AS place FROM deployments"
        " WHERE tenant_id = $1 AND version_id = ANY($2) AND checks IS NOT NULL) AS validated WHERE place = 1",
        tenant_id,
        known,
    )
    return {row["version_id"]: checks_from_json(row["checks"]) for row in rows}


async def queue_places(store: Store, tenant_id: str, review_ids: Iterable[str]) -> dict[str, int]:
    """The places, from 1, of those of these reviews that wait for a decision; the first to expire comes first."""
    if not (known := known_ids(review_ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT id, place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY expires_ms, id) AS place FROM reviews"
        " WHERE tenant_id = $1 AND status = ANY($3) AND expires_ms > {now}) AS waiting WHERE id = ANY($2)",
        tenant_id,
        known,
        sorted(status.value for status in WAITING_STATUSES),
    )
    return {row["id"]: row["place"] for row in rows}


def _listed(row: dict[str, Any]) -> Listed:
    pointer = Pointer(
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        fence=row["live_fence"],
        release_seq=row["live_seq"],
        version_id=row["live_version_id"],
        deployment_id=row["live_deployment_id"],
        package_digest=row["live_digest"],
        live_since=optional_moment(row["live_since_ms"]),
    )
    return Listed(version_of(row), row["size_bytes"], pointer, moment(row["now_ms"]))
