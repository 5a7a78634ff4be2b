"""Packages: which tenant has uploaded which, and the signatures beside them. The bytes are kept elsewhere."""

from collections.abc import Sequence
from typing import Any

from windtunnel.domain.packages import StoredPackage, StoredSignature, is_digest
from windtunnel.storage.privileged import PACKAGES_OF_ANYBODY
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds, moment

_COLUMNS = "tenant_id, digest, size_bytes, name, version, uploaded_by, created_ms"
_SIGNATURE_COLUMNS = "tenant_id, digest, signature_digest, envelope, uploaded_by, created_ms"


async def insert(store: Store, package: StoredPackage) -> bool:
    """Note that the tenant has uploaded the package; False when it has it already, and then nothing changes."""
    rows = await store.of(package.tenant_id).fetch(
        f"INSERT INTO packages ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608
        " ON CONFLICT (tenant_id, digest) DO UPDATE SET discarded_ms = NULL, uploaded_by = excluded.uploaded_by,"
        " created_ms = excluded.created_ms WHERE packages.discarded_ms IS NOT NULL RETURNING digest",
        package.tenant_id,
        package.digest,
        package.size_bytes,
        package.name,
        package.version,
        package.uploaded_by,
        milliseconds(package.created_at),
    )
    return bool(rows)


async def get(store: Store, tenant_id: str, digest: str) -> StoredPackage | None:
    """The package with this digest, if the tenant has it."""
    if not is_digest(digest):
        return None
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM packages"  # noqa: S608
        " WHERE tenant_id = $1 AND digest = $2 AND discarded_ms IS NULL",
        tenant_id,
        digest,
    )
    return _package(rows[0]) if rows else None


async def bytes_of(store: Store, tenant_id: str) -> int:
    """How many bytes the tenant's packages have together."""
    rows = await store.of(tenant_id).fetch(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS used FROM packages"
        " WHERE tenant_id = $1 AND discarded_ms IS NULL",
        tenant_id,
    )
    return int(rows[0]["used"])


async def of_anybody(store: Store, digests: Sequence[str]) -> set[str]:
    """Those of the digests that some tenant has a package with."""
    return {row["digest"] for row in await store.privileged(PACKAGES_OF_ANYBODY, list(digests))}


async def sign(store: Store, signature: StoredSignature) -> bool:
    """Put the signature beside its package, in the place of an earlier one; False when it was there already."""
    rows = await store.of(signature.tenant_id).fetch(
        f"INSERT INTO package_signatures ({_SIGNATURE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)"  # noqa: S608
        " ON CONFLICT (tenant_id, digest) DO UPDATE SET signature_digest = excluded.signature_digest,"
        " envelope = excluded.envelope, uploaded_by = excluded.uploaded_by, created_ms = excluded.created_ms"
        " WHERE package_signatures.signature_digest <> excluded.signature_digest RETURNING digest",
        signature.tenant_id,
        signature.digest,
        signature.signature_digest,
        signature.envelope,
        signature.uploaded_by,
        milliseconds(signature.created_at),
    )
    return bool(rows)


async def signature_of(store: Store, tenant_id: str, digest: str) -> StoredSignature | None:
    """The signature beside the tenant's package, if there is one."""
    if not is_digest(digest):
        return None
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_SIGNATURE_COLUMNS} FROM package_signatures WHERE tenant_id = $1 AND digest = $2",  # noqa: S608
        tenant_id,
        digest,
    )
    return _signature(rows[0]) if rows else None


def _package(row: dict[str, Any]) -> StoredPackage:
    return StoredPackage(
        tenant_id=row["tenant_id"],
        digest=row["digest"],
        size_bytes=row["size_bytes"],
        name=row["name"],
        version=row["version"],
        uploaded_by=row["uploaded_by"],
        created_at=moment(row["created_ms"]),
    )


def _signature(row: dict[str, Any]) -> StoredSignature:
    return StoredSignature(
        tenant_id=row["tenant_id"],
        digest=row["digest"],
        signature_digest=row["signature_digest"],
        envelope=row["envelope"],
        uploaded_by=row["uploaded_by"],
        created_at=moment(row["created_ms"]),
    )
