"""The housekeeper: throws away what has served its time."""

import asyncio
import random
from types import TracebackType
from typing import Self

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.discard_packages import discard_packages
from windtunnel.operations.sweep_packages import sweep_packages
from windtunnel.packages.blobs import BlobStore
from windtunnel.storage import deliveries, idempotency
from windtunnel.storage.store import Store

LOOK_EVERY_S = 600.0
SWEPT_AT_ONCE = 1_000
"""Few enough that nobody waits for the rows of one statement."""

log = structlog.get_logger()


class Housekeeper:
    """Runs beside the worker, in any number of processes. Use it as `async with`."""

    def __init__(self, store: Store, blobs: BlobStore | None = None) -> None:
        self._store = store
        self._blobs = blobs
        self._sweeping: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._sweeping = asyncio.create_task(self._sweep_now_and_then(), name="housekeeper")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sweeping.cancel()
        await asyncio.wait([self._sweeping])

    async def sweep(self) -> int:
        """Delete idempotency keys, messages to webhooks and packages whose time is over; how many it were.

        Raises UnavailableError.
        """
        swept = 0
        for sweep in (idempotency.sweep, deliveries.sweep):
            found = SWEPT_AT_ONCE
            while found == SWEPT_AT_ONCE:
                found = await sweep(self._store, SWEPT_AT_ONCE)
                swept += found
        swept += await discard_packages(self._store)
        if self._blobs is not None:
            swept += await sweep_packages(self._store, self._blobs)
        return swept

    async def _sweep_now_and_then(self) -> None:
        while True:
            try:
                await self.sweep()
            except UnavailableError as error:
                log.warning("nothing swept", reason=error.message)
            except Exception:
                log.exception("nothing swept because of a defect")
            await asyncio.sleep(LOOK_EVERY_S * random.uniform(0.5, 1.5))
