"""The host that package code runs on: what it keeps code in with, and what there is on it that code must not reach."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.probing import Targets

_found: dict[frozenset[Mechanism], Isolation] = {}
"""A host does not change while a process lives: what was found, by what was not tried."""


@dataclass(frozen=True, slots=True)
class CodeHost:
    """`beyond` is production, and whatever else this process knows of, with the addresses of its servers.

    What is in `without` is taken for missing.
    """

    beyond: Targets = field(default_factory=Targets)
    without: frozenset[Mechanism] = frozenset()
    looking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def isolation(self, directory: Path) -> Isolation:
        """What works here, found out in `directory` by the first who asks in this process."""
        async with self.looking:
            if self.without not in _found:
                _found[self.without] = await detect(directory, without=self.without)
            return _found[self.without]
