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

_read: LRU[str, Manifest] = LRU(KEPT)
"""A digest has one content for ever, which passes all checks for ever."""


async def usable_package(services: Services, viewer: Viewer, digest: str) -> Manifest:
    """The manifest of a package that the viewer's tenant has uploaded and may use.

    Raises NotFoundError, ValidationError (PACKAGE_INVALID), UnavailableError.
    """
    await find_package(services.home, viewer, digest, PATH)
    manifest = await manifest_of(services, digest)
    if manifest.namespace != viewer.tenant.slug:
        raise invalid(f"Its name is {manifest.name}, which is not in the namespace of your tenant.")
    return manifest


async def manifest_of(services: Services, digest: str) -> Manifest:
    """The manifest of the package with this digest. Raises ValidationError (PACKAGE_INVALID), UnavailableError."""
    known = _read.get(digest)
    if known is None:
        known = await asyncio.to_thread(_manifest_in, await opened(services, digest))
        _read.put(digest, known)
    return known


async def opened(services: Services, digest: str) -> BinaryIO:
    """The bytes of the package, verified, as a file that the caller closes. Raises UnavailableError."""
    try:
        return await services.blobs.open(digest)
    except (BlobMissingError, BlobCorruptError, OSError) as error:
        raise UnavailableError("The package cannot be read right now. Upload it again, or try again later.") from error


def invalid(reason: str) -> ValidationError:
    """The package cannot be used, because of what it is."""
    return ValidationError(
        f"The package cannot be simulated. {reason}", rule="package_invalid", code=ErrorCode.PACKAGE_INVALID, path=PATH
    )


def _manifest_in(file: BinaryIO) -> Manifest:
    with file:
        checked = check_package(file)
    for check in checked.checks:
        if check.blocks:
            where = f" ({check.path})" if check.path else ""
            raise invalid(f"{check.detail or check.code}{where} {check.remediation or ''}".rstrip())
    if checked.manifest is None:
        raise invalid("It has no manifest that can be read.")
    return checked.manifest
