"""Uploading a package: its bytes are kept as they come, and the tenant that sent them may use them from then on."""

import asyncio
from collections.abc import AsyncIterable
from typing import BinaryIO

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ErrorCode, QuotaError, UnavailableError, ValidationError
from windtunnel.domain.packages import StoredPackage
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import PACKAGE_BYTES_PER_TENANT, PACKAGE_MAX_BYTES
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.packages.blobs import Blob, BlobCorruptError, BlobMissingError, BlobTooLargeError
from windtunnel.storage import packages


async def upload_package(
    services: Services, viewer: Viewer, content: AsyncIterable[bytes], *, declared_bytes: int | None = None
) -> StoredPackage:
    """The package, once it is safe; uploaded before, as it was then. Its content is not judged here.

    With `declared_bytes`, what is too large is refused before any of it is read. Raises ForbiddenError, QuotaError,
    ValidationError (LIMIT_EXCEEDED above PACKAGE_MAX_BYTES), UnavailableError, and whatever `content` raises.
    """
    await permit(services, viewer, Action.UPLOAD_PACKAGE)
    if declared_bytes is not None and declared_bytes > PACKAGE_MAX_BYTES:
        raise _too_large()
    await _demand_room(services, viewer.tenant_id, declared_bytes or 0)
    blob = await _keep(services, content)
    name, version = await _identify(services, blob.digest)
    store, tenant_id = services.store, viewer.tenant_id
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        uploaded = StoredPackage(
            tenant_id, blob.digest, blob.size_bytes, name, version, viewer.user.id, await store.now()
        )
        if await packages.insert(store, uploaded):
            await _demand_room(services, tenant_id, 0)
            details = {"name": name, "version": version, "sizeBytes": blob.size_bytes}
            subject = Subject(Kind.PACKAGE, blob.digest)
            await record(services, viewer, tenant_id, AuditAction.PACKAGE_UPLOADED, subject, details=details)
    if not await services.blobs.exists(blob.digest):  # a sweep that thought it nobody's came in between
        raise _unavailable()
    return await packages.get(store, tenant_id, blob.digest) or uploaded


async def _keep(services: Services, content: AsyncIterable[bytes]) -> Blob:
    try:
        blob = await services.blobs.put(content, most=PACKAGE_MAX_BYTES)
        if not blob.size_bytes:
            await services.blobs.delete(blob.digest)
    except BlobTooLargeError:
        raise _too_large() from None
    except OSError as error:
        raise _unavailable() from error
    if not blob.size_bytes:
        raise ValidationError("The package is empty: send the archive as the body.", rule="package_empty")
    return blob


async def _identify(services: Services, digest: str) -> tuple[str | None, str | None]:
    try:
        file = await services.blobs.open(digest)
    except (OSError, BlobMissingError, BlobCorruptError) as error:
        raise _unavailable() from error
    return await asyncio.to_thread(_read_identity, file)


def _read_identity(file: BinaryIO) -> tuple[str | None, str | None]:
    from windtunnel.packages.checking import identify

    with file:
        return identify(file)


async def _demand_room(services: Services, tenant_id: str, more: int) -> None:
    used = await packages.bytes_of(services.store, tenant_id)
    if used + more > PACKAGE_BYTES_PER_TENANT:
        raise QuotaError(
            f"The packages of a tenant have at most {PACKAGE_BYTES_PER_TENANT // 2**30} GiB together.",
            limit=PACKAGE_BYTES_PER_TENANT,
            used=used,
        )


def _too_large() -> ValidationError:
    return ValidationError(
        f"The package is over the limit of {PACKAGE_MAX_BYTES:,} bytes. Leave out what the agent does not need.",
        rule="package_too_large",
        code=ErrorCode.LIMIT_EXCEEDED,
    )


def _unavailable() -> UnavailableError:
    return UnavailableError("Packages cannot be stored right now. Try again in a moment.")
