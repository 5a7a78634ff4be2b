"""The worker: claims simulations and conducts them, beside any number of others."""

from functools import partial
from types import TracebackType
from typing import Self

from app.claiming import Claiming
from windtunnel.operations.announce import WORK, announce_work
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.services import Services
from windtunnel.storage import leases

CLAIMED_AT_ONCE = 4
"""Few, so that what queues up at the same moment is shared out among the workers."""

STOP_TIMEOUT_S = 5.0


class Worker:
    """Conducts at most `concurrency` simulations at a time; `owner` names it in leases. Use it as `async with`.

    It outlives outages of database and bus. Leaving the block gives every simulation up, so that others can go on
    with it at once.
    """

    def __init__(self, services: Services, owner: str, concurrency: int) -> None:
        self._services = services
        self._owner = owner
        self._concurrency = concurrency
        self._holder: Leaseholder
        self._claiming: Claiming

    async def __aenter__(self) -> Self:
        self._holder = Leaseholder(self._owner)
        self._claiming = Claiming(self._services.hub, WORK, self._claim, trouble="nothing claimed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._claiming.stop(timeout_s=STOP_TIMEOUT_S)
        await self._holder.close()
        await announce_work(self._services.bus)

    async def _claim(self) -> bool:
        """Claim and begin some; False when there is nothing to claim, or no hand free."""
        free = self._concurrency - len(self._holder)
        if free <= 0:
            return False
        claimed = await leases.claim(
            self._services.store,
            self._owner,
            limit=min(free, CLAIMED_AT_ONCE),
            running_per_tenant=self._services.limits.running_per_tenant,
        )
        for simulation in claimed:
            job = partial(conduct_simulation, self._services)
            self._holder.start(self._services.store, simulation, job, after=self._claiming.look)
        return bool(claimed)
