"""The deliverer: sends the messages that are due to webhooks, beside any number of others."""

import asyncio
from types import TracebackType
from typing import Self

import structlog

from app.claiming import Claiming
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.webhooks import ClaimedDelivery
from windtunnel.operations.announce import DELIVERIES, announce_deliveries
from windtunnel.operations.deliver import deliver
from windtunnel.operations.services import Services
from windtunnel.storage import deliveries

DELIVERIES_AT_ONCE = 32
STOP_TIMEOUT_S = 3.0
RELEASE_TIMEOUT_S = 2.0

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
        self._claiming: Claiming

    async def __aenter__(self) -> Self:
        self._claiming = Claiming(self._services.hub, DELIVERIES, self._begin, trouble="nothing delivered")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._claiming.stop(self._under_way, timeout_s=STOP_TIMEOUT_S)
        given_up = dict(self._under_way)
        if given_up:
            for task in given_up:
                task.cancel()
            await asyncio.wait(given_up)
            await self._release(list(given_up.values()))

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
        self._claiming.look()

    async def _release(self, claimed: list[ClaimedDelivery]) -> None:
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_S):
                await deliveries.release(self._services.store, claimed)
                await announce_deliveries(self._services.bus)
        except (TimeoutError, UnavailableError) as error:
            log.warning("deliveries not released; their leases end soon", count=len(claimed), reason=str(error))
