"""Jobs on what this process holds leases of: renewed together, given up together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.policy import LEASE_RENEW_EVERY_MS
from windtunnel.storage import leases
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store

RENEW_AGAIN_S = 1.0
"""After a renewal that failed: well before the lease ends."""

RENEW_WITHIN_S = 3.0
"""What is held in one database shall not be lost because another does not answer."""

RELEASE_TIMEOUT_S = 5.0

log = structlog.get_logger()


class Leased(Protocol):
    """What was claimed: a simulation, or an environment."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def fence(self) -> int:
        """The fence under which it was claimed."""
        ...


T = TypeVar("T", bound=Leased)


class Leases(Protocol):
    """Where leases of one kind of thing are kept: a module of storage. `held` maps ids to fences."""

    async def renew(self, store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
        """Prolong them, and tell which are still held."""
        ...

    async def release(self, store: Store, owner: str, held: Mapping[str, int]) -> None:
        """Give them up."""
        ...


@dataclass(slots=True)
class _Held:
    store: Store
    fence: int
    task: asyncio.Task[None]
    missing: bool = False


class Leaseholder:
    """Runs one job per simulation, each in a task of its own, and keeps their leases; or one per environment.

    `owner` names this process in the leases; `kind` is what they are of, with `kept` for where they are. A job whose
    lease is lost is cancelled: somebody else has the thing, or it is over. A job that fails leaves its lease to expire,
    so that the next try comes a little later.
    """

    def __init__(self, owner: str, kind: str = "simulation", kept: Leases = leases) -> None:
        self.owner = owner
        self._named = f"{kind}_id"
        self._lost = f"{kind} held by someone else, or over"
        self._interrupted = f"{kind} interrupted"
        self._defect = f"{kind} interrupted by a defect"
        self._leases = kept
        self._held: dict[str, _Held] = {}
        self._renewing = asyncio.create_task(self._renew(), name="lease renewal")

    def __len__(self) -> int:
        return len(self._held)

    def start(
        self, store: Store, claimed: T, job: Callable[[T], Awaitable[None]], after: Callable[[], None] | None = None
    ) -> None:
        """Run `job` on what this owner has just claimed or inserted in `store`; then call `after`."""
        task = asyncio.create_task(self._run(claimed, job), name=f"job {claimed.id}")
        self._held[claimed.id] = held = _Held(store, claimed.fence, task)

        def ended(_: asyncio.Task[None]) -> None:
            if self._held.get(claimed.id) is held:
                del self._held[claimed.id]
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
                    released = (self._leases.release(store, self.owner, fences) for store, fences in _fences(held))
                    await asyncio.gather(*released)
            except (TimeoutError, UnavailableError) as error:
                log.warning("leases not released; they expire soon", count=len(held), reason=str(error))

    async def _run(self, claimed: T, job: Callable[[T], Awaitable[None]]) -> None:
        about = {self._named: claimed.id}
        try:
            await job(claimed)
        except LeaseLostError:
            log.info(self._lost, **about)
        except UnavailableError as error:
            log.warning(self._interrupted, reason=error.message, **about)
        except Exception:
            log.exception(self._defect, **about)

    async def _renew(self) -> None:
        pause = LEASE_RENEW_EVERY_MS / 1000
        while True:
            await asyncio.sleep(pause)
            asked = dict(self._held)
            pause = LEASE_RENEW_EVERY_MS / 1000
            renewed = await asyncio.gather(*(self._renew_in(*each, asked) for each in _fences(asked)))
            if not all(renewed):
                pause = RENEW_AGAIN_S

    async def _renew_in(self, store: Store, fences: Mapping[str, int], asked: Mapping[str, _Held]) -> bool:
        """Renew what lies in one database; False when that failed. None waits for one that does not answer."""
        try:
            async with asyncio.timeout(RENEW_WITHIN_S):
                still = await self._leases.renew(store, self.owner, fences)
        except Exception as error:  # noqa: BLE001 (whatever it is, the next renewal may work, and must be tried)
            log.warning("leases not renewed", count=len(fences), reason=str(error) or type(error).__name__)
            return False
        for leased in fences:
            each = asked[leased]
            if leased in still:
                each.missing = False
            elif each.missing:
                each.task.cancel()
            else:
                each.missing = True  # perhaps it is just ending, and has yet to tell the world
        return True


def _fences(held: dict[str, _Held]) -> Iterable[tuple[Store, dict[str, int]]]:
    """What is held, store by store."""
    stores: dict[int, tuple[Store, dict[str, int]]] = {}
    for leased, each in held.items():
        stores.setdefault(id(each.store), (each.store, {}))[1][leased] = each.fence
    return stores.values()
