"""The deployer: validates, deploys, rolls back, and keeps production running, beside any number of others."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from app.claiming import Claiming
from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.announce import PIPELINE, announce_pipeline
from windtunnel.operations.clear_production import clear_production
from windtunnel.operations.keep_production import Patience, keep_production
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.restore import give_up, restore
from windtunnel.operations.sandboxes import isolation_of
from windtunnel.operations.services import Services
from windtunnel.operations.tend_deployment import tend_deployment
from windtunnel.operations.tend_review import tend_review
from windtunnel.storage import deployment_care, rollback_care
from windtunnel.storage.deployment_care import DeploymentDue

DEPLOYED_AT_ONCE = 16
"""Many, since all but a few wait for what they have started; one that hangs keeps only its own place."""
RESTORED_AT_ONCE = 16
KEEP_EVERY_S = 5.0
CLEAR_EVERY = 12
"""Times that production was looked after."""
STOP_TIMEOUT_S = 5.0

log = structlog.get_logger()


class Deployer:
    """Tends at most DEPLOYED_AT_ONCE deployments at a time, and as many rollbacks; `owner` names it in leases.

    Use it as `async with`. It outlives outages of database, bus and disk. Leaving the block gives everything up, so
    that others can go on with it at once.
    """

    def __init__(self, services: Services, owner: str, *, warm: bool = True) -> None:
        """`warm`: begin with what the first deployment would wait for."""
        self._services = services
        self._owner = owner
        self._warm = warm
        self._deployments: Leaseholder
        self._rollbacks: Leaseholder
        self._claiming: Claiming
        self._keeping: asyncio.Task[None]
        self._patience = Patience()

    async def __aenter__(self) -> Self:
        self._deployments = Leaseholder(self._owner, "deployment", deployment_care)
        self._rollbacks = Leaseholder(self._owner, "rollback", rollback_care)
        self._claiming = Claiming(self._services.hub, PIPELINE, self._look, trouble="nothing deployed")
        self._keeping = asyncio.create_task(self._keep_now_and_then(), name="production")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeping.cancel()
        await self._claiming.stop([self._keeping], timeout_s=STOP_TIMEOUT_S)
        await asyncio.gather(self._deployments.close(), self._rollbacks.close())
        await announce_pipeline(self._services.bus)

    async def _look(self) -> bool:
        """Do what is due, and begin with what is to be claimed; False when there is nothing, or no hand free."""
        store = self._services.store
        to_do, overdue = await rollback_care.due(store)
        begun = await self._claim_rollbacks() if to_do else 0
        for rollback in await rollback_care.overdue(store) if overdue else ():
            begun += await self._tried(give_up(self._services, rollback), rollback.id)
        due = await deployment_care.due(store)
        for each in due:
            if each.due is not DeploymentDue.TO_DO:
                begun += await self._tried(_DONE[each.due](self._services, each.tenant_id, each.id), each.id)
        if begun or any(each.due is DeploymentDue.TO_DO for each in due):
            begun += await self._claim_deployments()
        return begun > 0

    async def _claim_rollbacks(self) -> int:
        free = RESTORED_AT_ONCE - len(self._rollbacks)
        rollbacks = await rollback_care.claim(self._services.store, self._owner, free)
        for rollback in rollbacks:
            job = partial(restore, self._services)
            self._rollbacks.start(self._services.store, rollback, job, after=self._claiming.look)
        return len(rollbacks)

    async def _claim_deployments(self) -> int:
        free = DEPLOYED_AT_ONCE - len(self._deployments)
        deployments = await deployment_care.claim(self._services.store, self._owner, free)
        for deployment in deployments:
            job = partial(tend_deployment, self._services)
            self._deployments.start(self._services.store, deployment, job, after=self._claiming.look)
        return len(deployments)

    async def _tried(self, doing: Awaitable[bool], id: str) -> bool:
        """Whether it was done here; nothing of one thing keeps the others waiting."""
        try:
            return await doing
        except UnavailableError:
            raise
        except Exception:
            log.exception("not looked after because of a defect", id=id)
            return False

    async def _warm_up(self) -> None:
        """What the first deployment would wait for."""
        await asyncio.gather(asyncio.to_thread(self._services.inspector.warm), isolation_of(self._services))

    async def _keep_now_and_then(self) -> None:
        try:
            if self._warm:
                await self._warm_up()
        except Exception:
            log.exception("not warmed up")
        for turn in itertools.count():
            try:
                await keep_production(self._services, self._patience)
                if turn % CLEAR_EVERY == 0:
                    await clear_production(self._services)
            except (UnavailableError, OSError) as error:
                log.warning("production not looked after", reason=str(error))
            except Exception:
                log.exception("production not looked after because of a defect")
            await asyncio.sleep(KEEP_EVERY_S * random.uniform(0.5, 1.5))


_DONE: dict[DeploymentDue, Callable[[Services, str, str], Awaitable[bool]]] = {
    DeploymentDue.REVIEW: tend_review,
    DeploymentDue.LAPSED: lapse_deployment,
}
