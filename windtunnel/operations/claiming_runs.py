"""Claiming simulations to conduct them, at home and in environments, each in its turn."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.environment_runs import PAUSED, halt_runs
from windtunnel.operations.services import Services
from windtunnel.storage import environment_turns, environments, leases, simulations

HOME = ""


class Rounds:
    """Whose turn it is: home, where all tenants are, and the tenants that have work in environments.

    Who was served longest ago comes first, of a tenant's environments likewise: many environments are no more turns.
    """

    def __init__(self) -> None:
        self._served: dict[str, int] = {HOME: 0}
        self._turns = 0

    def order(self, busy: Iterable[Environment]) -> Iterator[Environment | None]:
        """Home (None) and each of the environments that have work, in the order in which they are to be asked."""
        tenants: dict[str, deque[Environment | None]] = {HOME: deque([None])}
        known = {HOME}
        for environment in sorted(busy, key=lambda each: self._served.get(each.id, 0)):
            tenants.setdefault(environment.tenant_id, deque()).append(environment)
            known |= {environment.tenant_id, environment.id}
        self._served = {name: turn for name, turn in self._served.items() if name in known}
        waiting = deque(sorted(tenants, key=lambda tenant: self._served.get(tenant, 0)))
        while waiting:
            tenant = waiting.popleft()
            yield tenants[tenant].popleft()
            if tenants[tenant]:
                waiting.append(tenant)

    def served(self, environment: Environment | None) -> None:
        """Something was begun there."""
        self._turns += 1
        for name in (environment.tenant_id, environment.id) if environment else (HOME,):
            self._served[name] = self._turns


async def claim_runs(place: Services, owner: str, limit: int) -> Sequence[Simulation]:
    """At most `limit` simulations of a place, for `leases.LEASE_MS`: home, or an environment with work.

    In an environment so many run at a time as it allows, and none while it is not READY; what runs in one that is
    paused is halted. When nothing is left to do, that is on record afterwards.
    """
    if place.environment is None:
        return await leases.claim(place.store, owner, limit, place.limits.running_per_tenant)
    if place.environment.status is EnvironmentStatus.PAUSED:
        await halt_runs(place, place.environment, PAUSED, waiting=False)
        await environment_turns.rest(place.home.store, place.environment)
        return ()
    if await leases.any_claimable(place.store):
        return await _claim_in(place, place.environment, owner, limit)
    await _rest(place, place.environment)
    return ()


async def _claim_in(place: Services, environment: Environment, owner: str, limit: int) -> Sequence[Simulation]:
    async with place.store.transaction():
        # Whoever ends the environment halts its runs under this lock afterwards: these, too.
        await environment_turns.lock_work(place.store)
        if not await environment_turns.is_ready(place.home.store, environment.tenant_id, environment.id):
            return ()
        return await leases.claim(place.store, owner, limit, environment.limits.max_simulations)


async def as_it_is_now(place: Services) -> Services:
    """The same place, and its environment as it is configured now: what begins in it keeps to that."""
    if place.environment is None:
        return place
    found = await environments.get(place.home.store, place.environment.tenant_id, place.environment.id)
    return replace(place, environment=found or place.environment)


async def _rest(place: Services, environment: Environment) -> None:
    """Put on record that nothing is open, unless something is: it may begin at any moment, but not under the lock."""
    if await _is_open(place, environment):
        return
    async with place.store.transaction(environment.tenant_id):
        await environment_turns.lock_work(place.store)
        is_open = await _is_open(place, environment)
    if not is_open:
        await environment_turns.rest(place.home.store, environment)


async def _is_open(place: Services, environment: Environment) -> bool:
    counts = await simulations.counts(place.store, environment.tenant_id)
    return counts.waiting + counts.running > 0
