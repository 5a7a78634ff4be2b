"""The worker: claims simulations and conducts them, beside any number of others."""

import asyncio
import random
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.announce import WORK, announce_work
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.services import Services
from windtunnel.storage import leases
from windtunnel.streams.listener import Listener

CLAIMED_AT_ONCE = 4
"""Few, so that what queues up at the same moment is shared out among the workers."""

LOOK_EVERY_S = 1.0
STOP_TIMEOUT_S = 5.0
PAUSE_S = 0.2
PAUSE_MAX_S = 5.0

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
        self._stopping = False
        self._bell: Listener[Any] | None = None
        self._holder: Leaseholder
        self._claiming: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._holder = Leaseholder(self._services.store, self._owner)
        self._claiming = asyncio.create_task(self._claim_and_conduct(), name="worker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._look()
        # Not cancelled unless it must be: what is being claimed would stay claimed for a while.
        await asyncio.wait([self._claiming], timeout=STOP_TIMEOUT_S)
        self._claiming.cancel()
        await asyncio.wait([self._claiming])
        await self._holder.close()
        await announce_work(self._services.bus)

    async def _claim_and_conduct(self) -> None:
        pause = PAUSE_S
        async with self._services.hub.bell(WORK) as bell:
            self._bell = bell
            while not self._stopping:
                try:
                    claimed = await self._claim()
                    pause = PAUSE_S
                except UnavailableError as error:
                    log.warning("nothing claimed", reason=error.message)
                except Exception:
                    log.exception("nothing claimed because of a defect")
                else:
                    if not claimed:
                        await _rest(bell, LOOK_EVERY_S)
                    continue
                await _rest(bell, pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, PAUSE_MAX_S)

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
            self._holder.start(simulation, partial(conduct_simulation, self._services), after=self._look)
        return bool(claimed)

    def _look(self) -> None:
        if self._bell is not None:
            self._bell.ring()


async def _rest(bell: Listener[Any], seconds: float) -> None:
    """Wait until there is work, a hand is free, the worker is to stop, or the time has passed."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
