"""Bringing up a version of an agent where agents are deployed to; what is in production then is decided elsewhere."""

from typing import BinaryIO

from windtunnel.deploying.target import FailureCode, Release, ReleaseError
from windtunnel.domain.agents import Pointer
from windtunnel.domain.errors import ErrorCode, UnavailableError
from windtunnel.operations.sandboxes import isolation_of
from windtunnel.operations.services import Services
from windtunnel.packages.blobs import BlobCorruptError, BlobMissingError
from windtunnel.storage import tenants

_CODES = {
    FailureCode.DAMAGED: ErrorCode.DIGEST_MISMATCH,
    FailureCode.UNHEALTHY: ErrorCode.UNAVAILABLE,
    FailureCode.NOT_ISOLATED: ErrorCode.POLICY_VIOLATION,
}


class BringUpError(Exception):
    """It does not come up, and trying again at once will not help; `reason` is for people."""

    def __init__(self, reason: str, code: ErrorCode) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


async def bring_up(services: Services, tenant_id: str, agent_id: str, digest: str) -> None:
    """Have the package running and well: its bytes are verified, and what runs already is used.

    Raises BringUpError, UnavailableError.
    """
    release, target = Release(tenant_id, agent_id, digest), services.target
    await _demand_isolation(services, tenant_id)
    try:
        await target.stage(release, lambda: _open(services, digest))
        await target.start(release)
        await target.health(release)
    except ReleaseError as error:
        raise BringUpError(error.message, _CODES[error.code]) from error
    except OSError as error:
        raise UnavailableError("Nothing can be deployed right now. Try again in a moment.") from error


async def put_through(services: Services, pointer: Pointer) -> None:
    """After the commit: what `pointer` says is what is in production, also where it runs."""
    if pointer.package_digest is not None:
        release = Release(pointer.tenant_id, pointer.agent_id, pointer.package_digest)
        await services.target.switch(release, pointer.release_seq)


async def let_go(services: Services, tenant_id: str, agent_id: str, digest: str) -> None:
    """End what was brought up for nothing; what is in production stays."""
    await services.target.drain(Release(tenant_id, agent_id, digest))


async def _open(services: Services, digest: str) -> BinaryIO:
    try:
        return await services.blobs.open(digest)
    except BlobCorruptError as error:
        message = "The stored package is not what was approved: its bytes have another digest."
        raise BringUpError(message, ErrorCode.DIGEST_MISMATCH) from error
    except BlobMissingError as error:
        raise BringUpError("The package is not stored any more.", ErrorCode.PACKAGE_INVALID) from error


async def _demand_isolation(services: Services, tenant_id: str) -> None:
    minimum = await tenants.minimum_isolation(services.home.store, tenant_id)
    level = (await isolation_of(services)).level
    if not level.suffices(minimum):
        message = f"Isolation is {level} here, and your tenant wants {minimum} for running code."
        raise BringUpError(message, ErrorCode.POLICY_VIOLATION)
