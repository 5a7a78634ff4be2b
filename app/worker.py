"""The worker: claims simulations, at home and in environments, and conducts them, beside any number of others."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from app.claiming import Claiming
from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.announce import WORK, announce_work
from windtunnel.operations.claiming_runs import Rounds, as_it_is_now, claim_runs
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.places import held, in_environment
from windtunnel.operations.services import Services
from windtunnel.storage.environment_turns import with_work

CLAIMED_AT_ONCE = 4
"""Few, so that what queues up at the same moment is shared out among the workers."""

STOP_TIMEOUT_S = 5.0

log = structlog.get_logger()


class Worker:
    """Conducts at most `concurrency` simulations at a time; `owner` names it in leases. Use it as `async with`.

    It outlives outages of database and bus. Leaving the block gives every simulation up, so that others can go on
    with it at once.
    """

    def __init__(self, services: Services, owner: str, concurrency: int) -> None:
        self._services = services
        self._owner = owner
        self._concurrency = concurrency
        self._rounds = Rounds()
        self._seen: dict[str, Environment] = {}
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
        if self._free <= 0:
            return False
        busy = await with_work(self._services.store, self._seen)
        self._seen = {environment.id: environment for environment in busy}
        begun = 0
        for environment in self._rounds.order(busy):
            if self._free <= 0:
                break
            begun += await self._claim_in(environment)
        return begun > 0

    async def _claim_in(self, environment: Environment | None) -> int:
        """Claim and begin some in an environment, or at home; how many."""
        if environment is None:
            return await self._begin_some(self._services)
        try:
            async with in_environment(self._services, environment) as place:
                return await self._begin_some(place)
        except UnavailableError as error:  # the others shall not suffer from it
            log.warning("nothing claimed in an environment", environment_id=environment.id, reason=error.message)
            return 0

    async def _begin_some(self, place: Services) -> int:
        claimed = await claim_runs(place, self._owner, min(self._free, CLAIMED_AT_ONCE))
        if claimed:
            place = await as_it_is_now(place)
        for simulation in claimed:
            self._holder.start(place.store, simulation, partial(conduct_simulation, place), self._after(held(place)))
            self._rounds.served(place.environment)
        return len(claimed)

    def _after(self, let_go: Callable[[], None]) -> Callable[[], None]:
        def after() -> None:
            let_go()
            self._claiming.look()

        return after

    @property
    def _free(self) -> int:
        return self._concurrency - len(self._holder)
