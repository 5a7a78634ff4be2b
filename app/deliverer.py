"""The deliverer: sends the messages that are due to webhooks, beside any number of others."""

import asyncio
import random
from types import TracebackType
from typing import Any, Self

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.webhooks import ClaimedDelivery
from windtunnel.operations.announce import DELIVERIES, announce_deliveries
from windtunnel.operations.deliver import deliver
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries
from windtunnel.streams.listener import Listener

DELIVERIES_AT_ONCE = 32
LOOK_EVERY_S = 1.0
STOP_TIMEOUT_S = 3.0
RELEASE_TIMEOUT_S = 2.0
PAUSE_S = 0.2
PAUSE_MAX_S = 5.0

log = structlog.get_logger()


class Deliverer:
    """Attempts at most DELIVERIES_AT_ONCE deliveries at a time; `owner` names it in leases. Use it as `async with`.

    It outlives outages of database, bus and network. Leaving the block lets attempts under way end for a moment, then
    gives them up, so that others can repeat them at once.
    """

    def __init__(self, services: Services, owner: str) -> None:
        self._services = services
        self._owner = owner
        self._under_way: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._stopping = False
        self._bell: Listener[Any] | None = None
        self._working: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._working = asyncio.create_task(self._work(), name="deliverer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._look()
        # Not cancelled unless they must be: what is being claimed would stay claimed for a while.
        await asyncio.wait([self._working, *self._under_way], timeout=STOP_TIMEOUT_S)
        self._working.cancel()
        await asyncio.wait([self._working])
        given_up = dict(self._under_way)
        if given_up:
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
            await self._release(list(given_up.values()))

    async def _work(self) -> None:
        pause = PAUSE_S
        async with self._services.hub.bell(DELIVERIES) as bell:
            self._bell = bell
            while not self._stopping:
                try:
                    begun = await self._begin()
                    pause = PAUSE_S
                except UnavailableError as error:
                    log.warning("nothing delivered", reason=error.message)
                except Exception:
                    log.exception("nothing delivered because of a defect")
                else:
                    if not begun:
                        await _rest(bell, LOOK_EVERY_S)
                    continue
                await _rest(bell, pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, PAUSE_MAX_S)

    async def _begin(self) -> bool:
        """Claim and begin some; False when nothing is due, or no hand free."""
        claimed = await deliveries.claim(
            self._services.store, self._owner, limit=DELIVERIES_AT_ONCE - len(self._under_way)
        )
        for each in claimed:
            task = asyncio.create_task(self._attempt(each), name=f"delivery {each.id}")
            self._under_way[task] = each
            task.add_done_callback(self._ended)
        return bool(claimed)

    async def _attempt(self, claimed: ClaimedDelivery) -> None:
        """Its lease ends by itself when this fails: the next try comes a little later."""
        try:
            await deliver(self._services, claimed)
        except UnavailableError as error:
            log.warning("delivery interrupted", delivery_id=claimed.id, reason=error.message)
        except Exception:
            log.exception("delivery interrupted by a defect", delivery_id=claimed.id)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._under_way.pop(task, None)
        self._look()

    async def _release(self, claimed: list[ClaimedDelivery]) -> None:
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_S):
                await deliveries.release(self._services.store, claimed)
                await announce_deliveries(self._services.bus)
        except (TimeoutError, UnavailableError) as error:
            log.warning("deliveries not released; their leases end soon", count=len(claimed), reason=str(error))

    def _look(self) -> None:
        if self._bell is not None:
            self._bell.ring()


async def _rest(bell: Listener[Any], seconds: float) -> None:
    """Wait until something was queued, a hand is free, the deliverer is to stop, or the time has passed."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
