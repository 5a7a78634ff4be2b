"""What operations put on record: once for each change, in its transaction, and every refusal."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.operations.world import ReadyPlanner, begun, claimed, conduct_all, demo, process, queued, with_token
from windtunnel.domain.audit import AuditEntry, AuditFilter, is_intact
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError, ValidationError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Role
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.inject_failure import inject_failure
from windtunnel.operations.permit import permit
from windtunnel.operations.read_audit_log import read_audit_log
from windtunnel.operations.services import Services
from windtunnel.operations.verify_audit import verify_audit
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.storage import audit
from windtunnel.storage.errors import ConstraintError

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"


@pytest.fixture
def services(database_url: str, runner: asyncio.Runner) -> Iterator[Services]:
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(process(database_url)))
    runner.run(stack.aclose())


async def log(services: Services) -> list[AuditEntry]:
    viewer = await demo(services)
    entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
    assert all(is_intact(entry) for entry in entries)
    return [*entries]


async def actions(services: Services) -> list[str]:
    return [entry.action for entry in await log(services)]


async def test_a_simulation_from_start_to_end(services: Services) -> None:
    viewer = replace(await with_token(services, await demo(services), *Role), request_id="request-7")
    simulation = await queued(services, viewer)
    await conduct_all(services)
    _, scenario, started, finished = await log(services)
    assert scenario.action == "SCENARIO_CREATED"
    assert scenario.subject == Subject(Kind.SCENARIO, simulation.scenario_id or "")
    assert (started.action, started.subject) == ("SIMULATION_STARTED", Subject(Kind.SIMULATION, simulation.id))
    for entry in (scenario, started):
        assert (entry.actor_id, entry.token_id, entry.request_id) == (viewer.user.id, viewer.token_id, "request-7")
    assert json.loads(started.details)["seed"] == 11
    assert (finished.action, finished.subject) == ("SIMULATION_FINISHED", started.subject)
    assert (finished.actor_id, finished.token_id, finished.request_id) == (None, None, "")
    assert json.loads(finished.details) == {"status": "SUCCEEDED", "error": None}


async def test_a_stored_scenario_is_not_created_again(services: Services) -> None:
    viewer = await demo(services)
    first = await queued(services, viewer)
    await queued(services, viewer, text=None, scenario_id=first.scenario_id)
    await queued(services, viewer, text=None, architecture_id=first.architecture_id)
    assert await actions(services) == ["SCENARIO_CREATED", *["SIMULATION_STARTED"] * 3]


async def test_planning_that_fails_is_on_record(database_url: str) -> None:
    async with process(database_url, planner=ReadyPlanner(UnavailableError("The model is down."))) as services:
        with pytest.raises(UnavailableError):
            await queued(services, await demo(services))
        finished = (await log(services))[-1]
        assert (finished.action, finished.actor_id) == ("SIMULATION_FINISHED", None)
        assert json.loads(finished.details) == {"status": "FAILED", "error": "UNAVAILABLE"}


async def test_a_replay_is_not_on_record(services: Services) -> None:
    viewer = await demo(services)
    simulation = await queued(services, viewer, idempotency_key="once")
    await queued(services, viewer, idempotency_key="once")
    for _ in range(2):
        await inject_failure(services, viewer, simulation.id, "tool_api_timeout", idempotency_key="again")
    for _ in range(2):
        await cancel_simulation(services, viewer, simulation.id)
    assert await actions(services) == [
        "SCENARIO_CREATED",
        "SIMULATION_STARTED",
        "FAILURE_INJECTED",
        "SIMULATION_CANCELLED",
    ]
    injected = (await log(services))[2]
    assert json.loads(injected.details) == {"code": "tool_api_timeout", "target": None, "number": 1}


async def test_what_fails_is_not_on_record(services: Services) -> None:
    viewer = await demo(services)
    simulation = await queued(services, viewer)
    await conduct_all(services)
    before = await actions(services)
    with pytest.raises(ConflictError):
        await cancel_simulation(services, viewer, simulation.id)
    with pytest.raises(ConflictError):
        await inject_failure(services, viewer, simulation.id, "tool_api_timeout")
    with pytest.raises(ValidationError):
        await begun(services, viewer, text=" ")
    with pytest.raises(NotFoundError):
        await delete_scenario(services, viewer, RAW)
    assert await actions(services) == before


async def test_deleting_is_on_record_and_deletes_no_record(services: Services) -> None:
    viewer = await demo(services)
    simulation = await queued(services, viewer)
    await delete_scenario(services, viewer, simulation.scenario_id or "")
    assert await actions(services) == ["SCENARIO_CREATED", "SIMULATION_STARTED", "SCENARIO_DELETED"]


async def test_a_former_conductor_puts_nothing_on_record(services: Services) -> None:
    viewer = await demo(services)
    simulation = await queued(services, viewer)
    (mine,) = await claimed(services)
    await cancel_simulation(services, viewer, simulation.id)
    await conduct_simulation(services, mine)
    assert "SIMULATION_FINISHED" not in await actions(services)


async def test_no_change_without_its_record(services: Services) -> None:
    """When the entry cannot be appended, the change does not happen either."""
    viewer = await demo(services)
    simulation = await queued(services, viewer)
    ghost = replace(viewer, user=replace(viewer.user, id=RAW))
    with pytest.raises(ConstraintError):
        await cancel_simulation(services, ghost, simulation.id)
    with pytest.raises(ConstraintError):
        await inject_failure(services, ghost, simulation.id, "tool_api_timeout")
    with pytest.raises(ConstraintError):
        await delete_scenario(services, ghost, simulation.scenario_id or "")
    assert await actions(services) == ["SCENARIO_CREATED", "SIMULATION_STARTED"]
    await conduct_all(services)
    (last,) = (await log(services))[2:]
    assert json.loads(last.details)["status"] == "SUCCEEDED"


async def test_operations_check_and_record_by_themselves(services: Services) -> None:
    """However they are called: the schema is only one of the ways."""
    somebody = replace(await demo(services), roles=frozenset(), request_id="request-7")
    attempts = {
        Action.SIMULATE: begun(services, somebody),
        Action.CANCEL_SIMULATION: cancel_simulation(services, somebody, RAW),
        Action.DELETE_SCENARIO: delete_scenario(services, somebody, RAW),
        Action.INJECT_FAILURE: inject_failure(services, somebody, RAW, "tool_api_timeout"),
        Action.WATCH_SIMULATION: anext(watch_simulation(services, somebody, RAW)),
        Action.READ_AUDIT: read_audit_log(services, somebody, PageRequest(), AuditFilter()),
        Action.VERIFY_AUDIT: verify_audit(services, somebody),
    }
    for attempt in attempts.values():
        with pytest.raises(ForbiddenError):
            await attempt
    entries = await log(services)
    assert [json.loads(entry.details) for entry in entries] == [
        {"attempted": action.value, "roles": []} for action in attempts
    ]
    assert {(entry.action, entry.actor_id, entry.request_id) for entry in entries} == {
        ("ACCESS_DENIED", somebody.user.id, "request-7")
    }
    assert [entry.subject for entry in entries][:4] == [
        Subject(Kind.TENANT, somebody.tenant_id),
        Subject(Kind.SIMULATION, RAW),
        Subject(Kind.SCENARIO, RAW),
        Subject(Kind.SIMULATION, RAW),
    ]


async def test_a_refusal_of_anything_at_all_is_on_record(services: Services) -> None:
    somebody = replace(await demo(services), roles=frozenset({Role.AUDITOR}))
    with pytest.raises(ForbiddenError):
        await permit(services, somebody, Action.SIMULATE, Subject(Kind.SCENARIO, "x\0" * 100))
    (entry,) = await log(services)
    assert entry.subject == Subject(Kind.SCENARIO, "x\ufffd" * 50)
    await permit(services, somebody, Action.READ_AUDIT)
    assert len(await log(services)) == 1
