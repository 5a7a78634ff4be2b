"""How much code runs at a time in one process: so much of all, and of one tenant only a part of it."""

import asyncio

from windtunnel.domain.policy import PACKAGE_RUNS_AT_ONCE
from windtunnel.operations.code_host import SHARE_OF_A_TENANT, CodeHost

EACH = PACKAGE_RUNS_AT_ONCE // SHARE_OF_A_TENANT


class Crowd:
    """Runs that go on until they are let go."""

    def __init__(self, host: CodeHost) -> None:
        self.host = host
        self.leave = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def join(self, tenant: str, number: int) -> None:
        self.tasks += [asyncio.create_task(self._run(tenant)) for _ in range(number)]

    async def settle(self) -> dict[str, int]:
        """How many of each tenant run once nothing moves any more."""
        for _ in range(50):
            await asyncio.sleep(0)
        return dict(self.host.running)

    async def _run(self, tenant: str) -> None:
        async with self.host.turn(tenant):
            await self.leave.wait()


async def test_a_tenant_has_its_share_however_many_wait() -> None:
    crowd = Crowd(CodeHost())
    crowd.join("greedy", 20)
    assert await crowd.settle() == {"greedy": EACH}
    crowd.join("modest", 1)
    assert await crowd.settle() == {"greedy": EACH, "modest": 1}
    crowd.leave.set()
    await asyncio.gather(*crowd.tasks)
    assert crowd.host.running.total() == 0
    assert dict(crowd.host.running) == {}


async def test_there_is_an_end_for_all_together() -> None:
    crowd = Crowd(CodeHost())
    for tenant in range(PACKAGE_RUNS_AT_ONCE):
        crowd.join(str(tenant), 3)
    assert sum((await crowd.settle()).values()) == PACKAGE_RUNS_AT_ONCE
    for task in crowd.tasks:
        task.cancel()
    await asyncio.gather(*crowd.tasks, return_exceptions=True)
    assert dict(crowd.host.running) == {}
