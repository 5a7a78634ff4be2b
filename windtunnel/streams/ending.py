"""Ending tasks that use a driver which may swallow a cancellation."""

import asyncio
from typing import Any

AGAIN_S = 0.1


async def ended(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks until they have ended.

    Once may not be enough: `asyncio.wait_for`, which the driver uses, forgets a cancellation on Python 3.11 when what
    it waits for is done at the same moment; whoever waits for the task then waits for ever. Whoever is cancelled while
    waiting here is so when they have ended: none is left behind.
    """
    cancelled: asyncio.CancelledError | None = None
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        try:
            await asyncio.wait(waiting, timeout=AGAIN_S)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at: whoever wants to know asks again
    if cancelled is not None:
        raise cancelled
