"""Keeping true what is said to be in production: what died is started again, what is not used any more is ended.

What somebody else wrote into the database is not started: only what was approved is, whatever a pointer says.
"""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from windtunnel.deploying.target import Observed, Release, ReleaseState
from windtunnel.domain.agents import Pointer
from windtunnel.domain.errors import ErrorCode, PolicyError, UnavailableError
from windtunnel.operations.approvals import check_kept_approval
from windtunnel.operations.bring_up import BringUpError, bring_up, put_through
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_care, deployments

PAUSE_S = 5.0
PAUSE_MAX_S = 300.0
AT_ONCE = 4

log = structlog.get_logger()


@dataclass(slots=True)
class Patience:
    """When what does not come up is tried again: later each time."""

    _until: dict[Release, tuple[float, float]] = field(default_factory=dict)

    def may_try(self, release: Release) -> bool:
        """Whether it is time again."""
        return time.monotonic() >= self._until.get(release, (0.0, 0.0))[0]

    def failed(self, release: Release) -> None:
        """It did not come up."""
        pause = self._until.get(release, (0.0, PAUSE_S))[1]
        self._until[release] = (time.monotonic() + pause, min(2 * pause, PAUSE_MAX_S))

    def keep(self, wanted: set[Release]) -> None:
        """Forget all others."""
        self._until = {release: until for release, until in self._until.items() if release in wanted}

    def came_up(self, release: Release) -> None:
        """It did."""
        self._until.pop(release, None)


async def keep_production(services: Services, patience: Patience) -> int:
    """Look once; how many agents were brought up. Raises UnavailableError, OSError."""
    seen = {each.release: each for each in await services.target.observe()}
    wanted = {_release(pointer): pointer for pointer in await deployment_care.in_production(services.store)}
    patience.keep(set(wanted))
    missing = []
    for release, pointer in wanted.items():
        if release not in seen:
            missing.append((release, pointer))
        elif not _is_live(seen[release], pointer):
            await put_through(services, pointer)
    turn = asyncio.Semaphore(AT_ONCE)
    began = await asyncio.gather(
        *(_restart(services, *each, patience, turn) for each in missing if patience.may_try(each[0]))
    )
    await services.target.mend()
    return sum(began)


async def _restart(
    services: Services, release: Release, pointer: Pointer, patience: Patience, turn: asyncio.Semaphore
) -> bool:
    """Bring up what is in production and does not run here; whether it runs now."""
    about = {"tenant_id": release.tenant_id, "agent_id": release.agent_id, "digest": release.digest}
    try:
        async with turn:
            await _check_approved(services, pointer)
            await bring_up(services, release.tenant_id, release.agent_id, release.digest)
    except (BringUpError, PolicyError, UnavailableError) as error:
        patience.failed(release)
        log.warning("agent in production not brought up", reason=str(error), **about)
        return False
    patience.came_up(release)
    await put_through(services, pointer)
    return True


async def _check_approved(services: Services, pointer: Pointer) -> None:
    """Raise BringUpError or PolicyError unless it points at what was approved."""
    deployment = await deployments.get(services.home.store, pointer.tenant_id, pointer.deployment_id or "")
    if deployment is None or (deployment.version_id, deployment.package_digest) != (
        pointer.version_id,
        pointer.package_digest,
    ):
        message = "What is said to be in production is not what was approved: somebody changed it in the database."
        raise BringUpError(message, ErrorCode.APPROVAL_INVALID)
    await check_kept_approval(services, deployment)


def _is_live(seen: Observed, pointer: Pointer) -> bool:
    return seen.state is ReleaseState.LIVE and seen.fence == pointer.release_seq


def _release(pointer: Pointer) -> Release:
    return Release(pointer.tenant_id, pointer.agent_id, pointer.package_digest or "")
