"""The experimenter: claims experiments and conducts them, beside any number of others."""

import asyncio
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from app.claiming import Claiming
from windtunnel.domain.policy import EXPERIMENTS_RUNNING_PER_TENANT
from windtunnel.experiments.crew import CrewError
from windtunnel.experiments.recipes import warm_up
from windtunnel.operations.announce import EXPERIMENTS, announce_experiments
from windtunnel.operations.conduct_experiment import conduct_experiment
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.services import Services
from windtunnel.storage import experiment_care

CONDUCTED_AT_ONCE = 2 * EXPERIMENTS_RUNNING_PER_TENANT
"""They share the hands of one crew in turns. More than one tenant can have: nobody waits for all of another's."""
STOP_TIMEOUT_S = 5.0
WARM_UP_AFTER_S = 10.0
"""Whoever has just started has more urgent things to do, or is ended soon."""

log = structlog.get_logger()


class Experimenter:
    """Conducts at most CONDUCTED_AT_ONCE experiments at a time; `owner` names it in leases. Use it as `async with`.

    It outlives outages of database and bus. Leaving the block gives every experiment up, so that others can go on with
    it at once.
    """

    def __init__(self, services: Services, owner: str, *, warm: bool = True) -> None:
        """`warm`: have the kernel compiled before anybody waits for it."""
        self._services = services
        self._owner = owner
        self._warm = warm
        self._holder: Leaseholder
        self._claiming: Claiming

    async def __aenter__(self) -> Self:
        self._holder = Leaseholder(self._owner, "experiment", experiment_care)
        self._claiming = Claiming(self._services.hub, EXPERIMENTS, self._look, trouble="no experiment claimed")
        self._warming = [asyncio.create_task(self._warm_up(), name="warming up experiments")] if self._warm else []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for warming in self._warming:
            warming.cancel()
        await self._claiming.stop(self._warming, timeout_s=STOP_TIMEOUT_S)
        await self._holder.close()
        await announce_experiments(self._services.bus)

    async def _warm_up(self) -> None:
        """What the first large experiment would wait for."""
        await asyncio.sleep(WARM_UP_AFTER_S)
        try:
            await self._services.crew.run(warm_up)
        except CrewError as error:
            log.warning("kernel not compiled", reason=str(error))

    async def _look(self) -> bool:
        """Claim and begin some; False when there is nothing to claim, or no hand free."""
        free = CONDUCTED_AT_ONCE - len(self._holder)
        if free <= 0 or not await experiment_care.any_claimable(self._services.store):
            return False
        claimed = await experiment_care.claim(self._services.store, self._owner, free)
        for experiment in claimed:
            job = partial(conduct_experiment, self._services)
            self._holder.start(self._services.store, experiment, job, after=self._claiming.look)
        return bool(claimed)
