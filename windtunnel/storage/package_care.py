"""Letting the bytes of packages go: the row of each stays for the history, and counts for nothing from then on."""

from collections.abc import Sequence
from typing import Any

from windtunnel.storage.package_statements import NEEDED, SPENT, SPENT_PACKAGES
from windtunnel.storage.store import Store


async def spent(store: Store, limit: int) -> dict[str, list[str]]:
    """By tenant the digests of packages that nothing needs any more, at most `limit` of them."""
    found: dict[str, list[str]] = {}
    for row in await store.privileged(SPENT_PACKAGES, limit):
        found.setdefault(row["tenant_id"], []).append(row["digest"])
    return found


async def discard(store: Store, tenant_id: str, digests: Sequence[str]) -> dict[str, int]:
    """Let those of these packages go that nothing needs now; their digests with the bytes that are the tenant's again.

    Call it in the transaction that ended the need, under the tenant's lock. The bytes themselves are swept later, once
    no other tenant has them.
    """
    return await _discard(store, tenant_id, digests, f"discarded_ms IS NULL AND NOT ({NEEDED})")


async def discard_spent(store: Store, tenant_id: str, digests: Sequence[str]) -> dict[str, int]:
    """As `discard`, for those that are spent still."""
    return await _discard(store, tenant_id, digests, SPENT)


async def _discard(store: Store, tenant_id: str, digests: Sequence[str], where: str) -> dict[str, int]:
    if not digests:
        return {}
    rows: list[dict[str, Any]] = await store.of(tenant_id).fetch(
        f"UPDATE packages SET discarded_ms = {{now}} WHERE tenant_id = $1 AND digest = ANY($2) AND {where}"  # noqa: S608
        " RETURNING digest, size_bytes",
        tenant_id,
        list(digests),
    )
    return {row["digest"]: row["size_bytes"] for row in rows}
