"""Jobs on simulations whose leases this process holds: renewed together, given up together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.policy import LEASE_RENEW_EVERY_MS
from windtunnel.domain.simulations import Simulation
from windtunnel.storage import leases
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store

RENEW_AGAIN_S = 1.0
"""After a renewal that failed: well before the lease ends."""

RELEASE_TIMEOUT_S = 5.0

Job = Callable[[Simulation], Awaitable[None]]

log = structlog.get_logger()


@dataclass(slots=True)
class _Held:
    store: Store
    fence: int
    task: asyncio.Task[None]
    missing: bool = False


class Leaseholder:
    """Runs one job per simulation, each in a task of its own, and keeps their leases.

    `owner` names this process in the leases. A job whose lease is lost is cancelled: somebody else has the simulation,
    or it is over. A job that fails leaves its lease to expire, so that the next try comes a little later.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._held: dict[str, _Held] = {}
        self._renewing = asyncio.create_task(self._renew(), name="lease renewal")

    def __len__(self) -> int:
        return len(self._held)

    def start(self, store: Store, simulation: Simulation, job: Job, after: Callable[[], None] | None = None) -> None:
        """Run `job` on a simulation that this owner has just claimed or inserted in `store`; then call `after`."""
        task = asyncio.create_task(self._run(simulation, job), name=f"job {simulation.id}")
        self._held[simulation.id] = held = _Held(store, simulation.fence, task)

        def ended(_: asyncio.Task[None]) -> None:
            if self._held.get(simulation.id) is held:
                del self._held[simulation.id]
            if after is not None:
                after()

        task.add_done_callback(ended)

    async def close(self) -> None:
        """Stop every job and release its lease, so that others can go on at once. Leaves no task behind."""
        self._renewing.cancel()
        held = dict(self._held)
        tasks = [each.task for each in held.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait([self._renewing, *tasks])
        if held:
            try:
                async with asyncio.timeout(RELEASE_TIMEOUT_S):
                    for store, fences in _fences(held):
                        await leases.release(store, self.owner, fences)
            except (TimeoutError, UnavailableError) as error:
                log.warning("leases not released; they expire soon", count=len(held), reason=str(error))

    async def _run(self, simulation: Simulation, job: Job) -> None:
        try:
            await job(simulation)
        except LeaseLostError:
            log.info("simulation conducted by someone else, or over", simulation_id=simulation.id)
        except UnavailableError as error:
            log.warning("simulation interrupted", simulation_id=simulation.id, reason=error.message)
        except Exception:
            log.exception("simulation interrupted by a defect", simulation_id=simulation.id)

    async def _renew(self) -> None:
        pause = LEASE_RENEW_EVERY_MS / 1000
        while True:
            await asyncio.sleep(pause)
            asked = dict(self._held)
            pause = LEASE_RENEW_EVERY_MS / 1000
            for store, fences in _fences(asked):
                try:
                    still = await leases.renew(store, self.owner, fences)
                except Exception as error:  # noqa: BLE001 (whatever it is, the next renewal may work, and must be tried)
                    log.warning("leases not renewed", count=len(fences), reason=str(error))
                    pause = RENEW_AGAIN_S
                    continue
                for simulation_id in fences:
                    each = asked[simulation_id]
                    if simulation_id in still:
                        each.missing = False
                    elif each.missing:
                        each.task.cancel()
                    else:
                        each.missing = True  # perhaps it is just ending, and has yet to tell the world


def _fences(held: dict[str, _Held]) -> Iterable[tuple[Store, dict[str, int]]]:
    """What is held, store by store."""
    stores: dict[int, tuple[Store, dict[str, int]]] = {}
    for simulation_id, each in held.items():
        stores.setdefault(id(each.store), (each.store, {}))[1][simulation_id] = each.fence
    return stores.values()
