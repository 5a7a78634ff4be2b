"""Waiting for what tells nobody when it happens: other processes, rows, threads."""

import asyncio
import itertools
from collections.abc import Callable

LOOKED_AT_ONCE = 200
"""So often a condition is looked at in turn with everybody else; what takes longer is given time."""
BETWEEN_LOOKS_S = 0.01


async def a_moment() -> None:
    """Until one may look again: who looks all the time takes the processor from what is waited for."""
    await asyncio.sleep(BETWEEN_LOOKS_S)


async def until(condition: Callable[[], bool]) -> None:
    """Let everyone else go on until something has happened; the test's own timeout bounds it."""
    for turn in itertools.count():
        if condition():
            return
        await asyncio.sleep(0 if turn < LOOKED_AT_ONCE else BETWEEN_LOOKS_S)
