"""Finding a package that the viewer's tenant has uploaded: others' are not told from those that do not exist."""

from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.packages import StoredPackage
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.storage import packages


async def find_package(
    services: Services, viewer: Viewer, digest: str, path: tuple[str, ...] = ("input", "package_digest")
) -> StoredPackage:
    """The tenant's package with this digest. `path` leads to the digest in the caller's input. Raises NotFoundError."""
    if found := await packages.get(services.store, viewer.tenant_id, digest):
        return found
    raise NotFoundError("There is no package with this digest; upload it with `PUT /packages` first.", path=path)
