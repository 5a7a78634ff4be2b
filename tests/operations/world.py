"""Processes of the product on one database, as far as operations can tell; and planners to be held or failing."""

import asyncio
import atexit
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.examples import support_triage
from windtunnel.delivery.courier import Courier
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventKind, SimulationEvent, StepStatus
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.planning import OnStep, Plan, Planner, PlannerAgent, PlannerMode, PlannerStep
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import Simulation, SimulationStage
from windtunnel.domain.tokens import digest_of
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.experiments.crew import Crew
from windtunnel.knowledge import load_book
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.provide_token import provide_token
from windtunnel.operations.requests import SimulateRequest
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.operations.simulate import simulate
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.packages.inspecting import Inspector
from windtunnel.storage import events, leases, sign_in, simulations, tenants
from windtunnel.storage.store import open_store
from windtunnel.streams.bus import Bus, open_bus
from windtunnel.vault.approvals import ApprovalKeys
from windtunnel.vault.sealing import KEY_BYTES, Vault

TEXT = "Customers write to us. Route each message to a specialist; refunds need a manager."
INTERPRETATION = Interpretation("Answer mail", "support", ("customer",), ("mail",), ("answer",), (), (), 0.9)
LEASE_S = LEASE_MS / 1000
EVERYTHING = 100_000
APPROVALS = ApprovalKeys.generate()
INSPECTOR = Inspector()
atexit.register(INSPECTOR.close)
CREW = Crew(1)
atexit.register(CREW.close)


class ReadyPlanner:
    """Has its plan ready. `gate` holds it back before step `held_at` (of 10); `failing` is raised at the end."""

    mode = PlannerMode.OFFLINE
    model = None

    def __init__(
        self, failing: Exception | None = None, *, held_at: int | None = None, architecture: Architecture | None = None
    ) -> None:
        self.gate = asyncio.Event()
        self.calls = 0
        self._failing = failing
        self._held_at = held_at
        self._architecture = architecture or support_triage()

    async def plan(self, text: str, on_step: OnStep) -> Plan:
        self.calls += 1
        steps = [
            PlannerStep(planner, status, f"{planner} {status}: {len(text)} characters.")
            for planner in PlannerAgent
            for status in (StepStatus.STARTED, StepStatus.OK)
        ]
        for number, step in enumerate(steps):
            if number == self._held_at:
                await self.gate.wait()
            await on_step(step)
        if self._held_at == len(steps):
            await self.gate.wait()
        if self._failing is not None:
            raise self._failing
        return Plan(INTERPRETATION, self._architecture)


@asynccontextmanager
async def process(
    url: str,
    *,
    planner: Planner | None = None,
    bus: Bus | None = None,
    limits: Limits | None = None,
    owner: str = "one",
    courier: Courier | None = None,
    vault: Vault | None = None,
    **more: Any,
) -> AsyncIterator[Services]:
    """A process on a migrated database: services of its own, a bus of its own unless given one.

    What is `more` goes to `open_services` as it is.
    """
    store, own_bus = await open_store(url), bus or await open_bus(None)
    usual: dict[str, Any] = {"approvals": APPROVALS, "inspector": INSPECTOR, "crew": CREW}
    try:
        async with open_services(
            store,
            own_bus,
            planner or ReadyPlanner(),
            load_book(),
            limits or Limits(),
            owner=owner,
            courier=courier,
            vault=vault or Vault([b"k" * KEY_BYTES]),  # all processes of an installation have the same keys
            **(usual | more),
        ) as services:
            yield services
    finally:
        if bus is None:
            await own_bus.close()
        await store.close()


async def demo(services: Services) -> Viewer:
    return await tenants.ensure_demo(services.store)


async def with_token(services: Services, viewer: Viewer, *roles: Role, lasts: timedelta | None = None) -> Viewer:
    """The demo's viewer, who comes with a token."""
    email = viewer.user.email or ""
    issued = await provide_token(services.store, viewer.tenant.slug, email, roles, name="robot", expires_in=lasts)
    found = await sign_in.by_token(services.store, digest_of(issued.secret or ""))
    assert found
    return found.viewer


async def begun(services: Services, viewer: Viewer, **request: Any) -> Simulation:
    """A simulation that was just accepted."""
    usual: dict[str, Any] = {"text": TEXT, "seed": 11, "wait_for": SimulationStage.ACCEPTED}
    return await simulate(services, viewer, SimulateRequest(**(usual | request)))


async def queued(services: Services, viewer: Viewer, **request: Any) -> Simulation:
    """A simulation that waits for a worker."""
    return await begun(services, viewer, **{"wait_for": SimulationStage.PLANNED} | request)


async def claimed(services: Services, owner: str = "conductor") -> list[Simulation]:
    return await leases.claim(services.store, owner, 1_000, 1_000)


async def conduct_all(services: Services, owner: str = "conductor") -> None:
    """Do what a worker does, until nothing is left to do."""
    while simulations_claimed := await claimed(services, owner):
        for simulation in simulations_claimed:
            await conduct_simulation(services, simulation)


async def now_stored(services: Services, simulation: Simulation) -> Simulation:
    found = await simulations.get(services.store, simulation.tenant_id, simulation.id)
    assert found is not None
    return found


async def stored_events(services: Services, simulation: Simulation) -> list[SimulationEvent]:
    return await events.read(services.store, simulation.tenant_id, simulation.id, 0, EVERYTHING)


async def watched(services: Services, viewer: Viewer, simulation: Simulation, **how: Any) -> list[SimulationEvent]:
    async with aclosing(watch_simulation(services, viewer, simulation.id, **how)) as stream:
        return [event async for event in stream]


def tale(told: Sequence[SimulationEvent]) -> list[tuple[Any, ...]]:
    """What must be the same whenever and wherever it is told: everything but wall clock and ids of stored things."""
    return [
        (
            event.seq,
            event.kind,
            event.elapsed_ms,
            event.agent_key,
            event.message,
            {key: value for key, value in event.body.items() if key != "architecture_id"},
        )
        for event in told
    ]


def kinds(told: Sequence[SimulationEvent]) -> list[EventKind]:
    return [event.kind for event in told]


async def die(holder: Leaseholder) -> None:
    """What kill -9 does to the jobs of a process: they stop where they are, and no lease is released."""
    tasks = [held.task for held in holder._held.values()]
    for task in tasks:
        task.cancel()
    if tasks:  # on a busy machine a plan may be made before it is asked to die
        await asyncio.wait(tasks)


async def until_stored(services: Services, simulation: Simulation, seq: int) -> None:
    """Wait for an event to be stored, by following the log."""
    stream = watch_simulation(services, await demo(services), simulation.id)
    async with aclosing(stream):
        async for event in stream:
            if event.seq >= seq:
                return
