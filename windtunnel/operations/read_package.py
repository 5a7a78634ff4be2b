"""Reading a package: its manifest, if the package passes all checks; what bytes are by their digest is read once."""

import asyncio
from typing import BinaryIO

from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.find_package import find_package
from windtunnel.operations.services import Services
from windtunnel.packages.blobs import BlobCorruptError, BlobMissingError
from windtunnel.packages.checking import check_package
from windtunnel.packages.manifest import Manifest
from windtunnel.storage.lru import LRU

PATH = ("input", "package_digest")
KEPT = 32

_read: LRU[str, Manifest | ValidationError] = LRU(KEPT)
"""A digest has one content for ever: what passes all checks, or does not, always does the same."""


async def usable_package(services: Services, viewer: Viewer, digest: str) -> Manifest:
    """The manifest of a package that the viewer's tenant has uploaded and may use.

    Raises NotFoundError, ValidationError (PACKAGE_INVALID), UnavailableError.
    """
    await find_package(services.home, viewer, digest, PATH)
    manifest = await manifest_of(services, digest)
    if manifest.namespace != viewer.tenant.slug:
        raise invalid(f"The package is named {manifest.name}, which is not in the namespace of your tenant.")
    return manifest


async def manifest_of(services: Services, digest: str) -> Manifest:
    """The manifest of the package with this digest. Raises ValidationError (PACKAGE_INVALID), UnavailableError."""
    async with services.code_host.reading:  # it takes a while, and threads are few
        known = _read.get(digest)
        if known is None:
            known = await asyncio.to_thread(_manifest_in, await opened(services, digest))
            _read.put(digest, known)
    if isinstance(known, ValidationError):
        raise invalid(known.message)
    return known


async def opened(services: Services, digest: str) -> BinaryIO:
    """The bytes of the package, verified, as a file that the caller closes. Raises UnavailableError."""
    try:
        return await services.blobs.open(digest)
    except (BlobMissingError, BlobCorruptError, OSError) as error:
        raise UnavailableError("The package cannot be read right now. Upload it again, or try again later.") from error


def invalid(message: str) -> ValidationError:
    """The package cannot be used, because of what it is."""
    return ValidationError(message, rule="package_invalid", code=ErrorCode.PACKAGE_INVALID, path=PATH)


def _manifest_in(file: BinaryIO) -> Manifest | ValidationError:
    with file:
        checked = check_package(file)
    for check in checked.checks:
        if check.blocks:
            where = f" ({check.path})" if check.path else ""
            return invalid(f"The package does not pass: {check.detail or check.code}{where} {check.remediation or ''}")
    return checked.manifest or invalid("The package does not pass: it has no manifest that can be read.")
