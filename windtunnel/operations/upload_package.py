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
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.packages.blobs import BlobTooLargeError, Draft
from windtunnel.storage import packages


async def upload_package(
    services: Services, viewer: Viewer, content: AsyncIterable[bytes], *, declared_bytes: int | None = None
) -> StoredPackage:
    """The package, once it is safe; uploaded before, as it was then. Its content is not judged here.

    With `declared_bytes`, what is too large is refused before any of it is read; without, no more is read than there
    is room for. Raises ForbiddenError, QuotaError,
    ValidationError (LIMIT_EXCEEDED above PACKAGE_MAX_BYTES), UnavailableError, and whatever `content` raises.
    """
    await permit(services, viewer, Action.UPLOAD_PACKAGE)
    if declared_bytes is not None and declared_bytes > PACKAGE_MAX_BYTES:
        raise _too_large()
    room = await _demand_room(services, viewer.tenant_id, declared_bytes or 0)
    try:
        async with services.blobs.drafted(content, most=min(room, PACKAGE_MAX_BYTES)) as draft:
            return await _admitted(services, viewer, draft)
    except BlobTooLargeError:
        raise (_too_large() if room >= PACKAGE_MAX_BYTES else _full(PACKAGE_BYTES_PER_TENANT - room)) from None
    except OSError as error:
        raise _unavailable() from error


async def _admitted(services: Services, viewer: Viewer, draft: Draft) -> StoredPackage:
    """What is refused was never kept: no blob of anybody's has to be looked for and thrown away."""
    blob = draft.blob
    if not blob.size_bytes:
        raise ValidationError("The package is empty: send the archive as the body.", rule="package_empty")
    name, version = await asyncio.to_thread(_read_identity, await draft.open())
    store, tenant_id = services.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, Action.UPLOAD_PACKAGE):
        uploaded = StoredPackage(
            tenant_id, blob.digest, blob.size_bytes, name, version, viewer.user.id, await store.now()
        )
        is_new = await packages.insert(store, uploaded)
        if is_new:
            await _demand_room(services, tenant_id, 0)
        await draft.keep()
        if is_new:
            details = {"name": name, "version": version, "sizeBytes": blob.size_bytes}
            subject = Subject(Kind.PACKAGE, blob.digest)
            await record(services, viewer, tenant_id, AuditAction.PACKAGE_UPLOADED, subject, details=details)
    if not await services.blobs.exists(blob.digest):  # a sweep that thought it nobody's came in between
        raise _unavailable()
    return await packages.get(store, tenant_id, blob.digest) or uploaded


def _read_identity(file: BinaryIO) -> tuple[str | None, str | None]:
    from windtunnel.packages.checking import identify

    with file:
        return identify(file)


async def _demand_room(services: Services, tenant_id: str, more: int) -> int:
    """How many bytes the tenant may still bring. Raises QuotaError when it is fewer than `more`."""
    used = await packages.bytes_of(services.store, tenant_id)
    if used + more > PACKAGE_BYTES_PER_TENANT:
        raise _full(used)
    return PACKAGE_BYTES_PER_TENANT - used


def _full(used: int) -> QuotaError:
    return QuotaError(
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
