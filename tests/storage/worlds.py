"""Tiny worlds for storage stories: a tenant, a scenario, simulations in any state."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from tests.examples import support_triage
from windtunnel.domain.events import EventDraft, EventKind
from windtunnel.domain.ids import new_id
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.scenarios import Scenario, title_of
from windtunnel.domain.simulations import FailureInjection, Simulation, SimulationStatus
from windtunnel.domain.viewers import User, Viewer
from windtunnel.storage import architectures, events, leases, people, scenarios, simulations, tenants, transitions
from windtunnel.storage.store import Store, open_store

INTERPRETATION = Interpretation(
    "Answer mail", "support", ("customer",), ("mail",), ("answer",), (), ("one inbox",), 0.8
)
OWNER = "worker-1"


async def demo(store: Store) -> Viewer:
    return await tenants.ensure_demo(store)


async def stranger(store: Store) -> Viewer:
    """Somebody of another tenant, set up like the demo."""
    mine = await tenants.ensure_demo(store)
    tenant_id, user_id = new_id(), new_id()
    await store.of(tenant_id).fetch(
        "INSERT INTO tenants (id, slug, name, created_ms) VALUES ($1, $2, 'Other', 0)", tenant_id, tenant_id
    )
    await store.of(tenant_id).fetch(
        "INSERT INTO users (id, tenant_id, name, email, created_ms) VALUES ($1, $2, 'Eve', NULL, 0)", user_id, tenant_id
    )
    for role in mine.roles:
        await store.of(tenant_id).fetch(
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, $3)", tenant_id, user_id, role.value
        )
    return Viewer(
        user=type(mine.user)(user_id, tenant_id, "Eve", None),
        tenant=type(mine.tenant)(tenant_id, tenant_id, "Other"),
        roles=mine.roles,
    )


async def colleague(store: Store, viewer: Viewer, name: str = "Bo") -> Viewer:
    """Somebody else of the viewer's tenant, with the same roles."""
    user = User(new_id(), viewer.tenant_id, name, None)
    await store.of(viewer.tenant_id).fetch(
        "INSERT INTO users (id, tenant_id, name, email, created_ms) VALUES ($1, $2, $3, NULL, 0)",
        user.id,
        user.tenant_id,
        name,
    )
    async with store.transaction(viewer.tenant_id):
        await people.add_roles(store, viewer.tenant_id, user.id, viewer.roles)
    return replace(viewer, user=user)


async def scenario(store: Store, viewer: Viewer, text: str = "Answer support mail.", age_s: float = 0.0) -> Scenario:
    made = Scenario(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        title=title_of(text),
        text=text,
        created_at=await store.now() - timedelta(seconds=age_s),
        created_by=viewer.user.id,
    )
    await scenarios.insert(store, made)
    return made


async def planning(
    store: Store,
    viewer: Viewer,
    scenario_id: str | None = None,
    *,
    created_at: datetime | None = None,
    owner: str = OWNER,
) -> Simulation:
    """A simulation that is being planned, as `simulate` leaves it first: fence 1, SIMULATION_STARTED stored."""
    made = Simulation(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        scenario_id=scenario_id,
        architecture_id=None,
        package_digest=None,
        status=SimulationStatus.PLANNING,
        seed=7,
        pace=0.5,
        planner_mode=PlannerMode.OFFLINE,
        failures=FailureInjection.AUTO,
        inject_failures=("tool_api_timeout",),
        created_at=created_at or await store.now(),
        created_by=viewer.user.id,
        fence=1,
        lease_owner=owner,
    )
    await simulations.insert(store, made)
    await events.append(store, made.tenant_id, made.id, 1, 0, drafts(1, EventKind.SIMULATION_STARTED))
    return await stored(store, made)


async def queued(
    store: Store, viewer: Viewer, scenario_id: str | None = None, *, created_at: datetime | None = None
) -> Simulation:
    made = await planning(store, viewer, scenario_id, created_at=created_at)
    architecture_id = new_id()
    await architectures.insert(
        store,
        viewer.tenant_id,
        architecture_id,
        scenario_id=scenario_id,
        architecture=support_triage(),
        created_at=await store.now(),
    )
    await transitions.planned(
        store,
        made.tenant_id,
        made.id,
        1,
        1,
        interpretation=INTERPRETATION,
        architecture_id=architecture_id,
        drafts=drafts(1, EventKind.ARCHITECTURE_PLANNED),
    )
    return await stored(store, made)


async def running(store: Store, viewer: Viewer, scenario_id: str | None = None, owner: str = OWNER) -> Simulation:
    """A simulation that `owner` conducts: fence 2, two events stored. Claims whatever else is queued, too."""
    made = await queued(store, viewer, scenario_id)
    claimed = await leases.claim(store, owner, 1000, 1000)
    return next(simulation for simulation in claimed if simulation.id == made.id)


async def stored(store: Store, simulation: Simulation) -> Simulation:
    found = await simulations.get(store, simulation.tenant_id, simulation.id)
    assert found is not None
    return found


def drafts(count: int, kind: EventKind = EventKind.AGENT_START) -> list[EventDraft]:
    return [
        EventDraft(kind, f"step {number}", {"task": number, "status": "STARTED"}, float(number), "triage")
        for number in range(count)
    ]


def in_process(url: str, function: object, *arguments: object) -> object:
    """For a process of a pool: open the store at `url`, await `function(store, *arguments)`, close."""

    async def run() -> object:
        store = await open_store(url)
        try:
            return await function(store, *arguments)  # type: ignore[operator]
        finally:
            await store.close()

    return asyncio.run(run())
