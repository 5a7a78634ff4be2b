"""The host that package code runs on: what it keeps code in with, and what there is on it that code must not reach."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.domain.policy import PACKAGE_RUNS_AT_ONCE
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.probing import Targets

SHARE_OF_A_TENANT = 4
"""A tenant has at most one of so many turns, so that it cannot keep all others waiting."""

READ_AT_ONCE = 2
"""Packages that are checked at the same time."""

_found: dict[frozenset[Mechanism], Isolation] = {}
"""A host does not change while a process lives: what was found, by what was not tried."""


@dataclass(frozen=True, slots=True)
class CodeHost:
    """`beyond` is production, and whatever else this process knows of, with the addresses of its servers.

    What is in `without` is taken for missing. `running` are the runs in this process, by tenant; `reading` is held by
    whoever reads all of a package.
    """

    beyond: Targets = field(default_factory=Targets)
    without: frozenset[Mechanism] = frozenset()
    turns: asyncio.Condition = field(default_factory=asyncio.Condition, repr=False)
    running: Counter[str] = field(default_factory=Counter, repr=False)
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READ_AT_ONCE), repr=False)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def isolation(self, directory: Path) -> Isolation:
        """What works here, found out in `directory` by the first who asks in this process."""
        async with self.looking:
            if self.without not in _found:
                _found[self.without] = await detect(directory, without=self.without)
            return _found[self.without]

    @asynccontextmanager
    async def turn(self, tenant_id: str) -> AsyncIterator[None]:
        """Wait until one more run of the tenant's code may begin in this process; it ends with the context."""
        async with self.turns:
            await self.turns.wait_for(lambda: self._has_room(tenant_id))
            self.running[tenant_id] += 1
        try:
            yield
        finally:
            self.running[tenant_id] -= 1
            if not self.running[tenant_id]:
                del self.running[tenant_id]
            async with self.turns:
                self.turns.notify_all()

    def _has_room(self, tenant_id: str) -> bool:
        at_once = PACKAGE_RUNS_AT_ONCE
        return self.running.total() < at_once and self.running[tenant_id] < at_once // SHARE_OF_A_TENANT
