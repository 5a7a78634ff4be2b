"""The caretaker: makes environments, ends them in time, and takes them away, beside any number of others."""

import asyncio
import random
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from app.claiming import Claiming
from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.announce import ENVIRONMENTS, announce_environments
from windtunnel.operations.expiring import come_due
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.measure_environments import measure_environments
from windtunnel.operations.reap_environments import reap_environments
from windtunnel.operations.services import Services
from windtunnel.operations.tend_environment import tend_environment
from windtunnel.storage import environment_care, environment_times
from windtunnel.storage.environment_times import Due, DueEnvironment

TENDED_AT_ONCE = 8
REAP_EVERY_S = 60.0
STOP_TIMEOUT_S = 5.0

log = structlog.get_logger()


class Caretaker:
    """Tends at most TENDED_AT_ONCE environments at a time; `owner` names it in leases. Use it as `async with`.

    It outlives outages of database, bus and disk. Leaving the block gives every environment up, so that others can go
    on with it at once.
    """

    def __init__(self, services: Services, owner: str) -> None:
        self._services = services
        self._owner = owner
        self._holder: Leaseholder
        self._claiming: Claiming
        self._reaping: asyncio.Task[None]
        self._measured: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._holder = Leaseholder(self._owner, "environment", environment_care)
        self._claiming = Claiming(self._services.hub, ENVIRONMENTS, self._look, trouble="no environment tended")
        self._reaping = asyncio.create_task(self._reap_now_and_then(), name="reaper")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reaping.cancel()
        await self._claiming.stop([self._reaping], timeout_s=STOP_TIMEOUT_S)
        await self._holder.close()
        await announce_environments(self._services.bus)

    async def _look(self) -> bool:
        """Do what is due, and begin with what is to be claimed; False when there is nothing, or no hand free."""
        due = await environment_times.due(self._services.store)
        done = [await self._come_due(each) for each in due if each.due is not Due.TO_DO]
        claimed = 0
        if any(done) or any(each.due is Due.TO_DO for each in due):
            claimed = await self._claim()
        return bool(any(done) or claimed)

    async def _claim(self) -> int:
        environments = await environment_care.claim(
            self._services.store, self._owner, TENDED_AT_ONCE - len(self._holder)
        )
        for environment in environments:
            job = partial(tend_environment, self._services)
            self._holder.start(self._services.store, environment, job, after=self._claiming.look)
        return len(environments)

    async def _come_due(self, due: DueEnvironment) -> bool:
        """Whether it was done here; nothing of one environment keeps the others waiting."""
        try:
            return await come_due(self._services, due)
        except UnavailableError:
            raise
        except Exception:
            log.exception("environment not looked after because of a defect", environment_id=due.id)
            return False

    async def _reap_now_and_then(self) -> None:
        while True:
            try:
                if await reap_environments(self._services):
                    self._claiming.look()
                await measure_environments(self._services, self._measured)
            except (UnavailableError, OSError) as error:
                log.warning("environments not reaped", reason=str(error))
            except Exception:
                log.exception("environments not reaped because of a defect")
            await asyncio.sleep(REAP_EVERY_S * random.uniform(0.5, 1.5))
