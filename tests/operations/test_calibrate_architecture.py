"""Traces make a new architecture of an old one: kept beside it, with what differs, once for the same traces."""

from dataclasses import replace

import pytest

from tests.operations.environment_world import begun_in, conduct_in, opened_environment
from tests.operations.world import conduct_all, demo, process, queued, stored_events
from tests.storage.worlds import stranger
from tests.telemetry.spans import called, invoked, lines, otlp
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError, NotFoundError, ValidationError
from windtunnel.domain.events import EventKind
from windtunnel.domain.ids import namespace_of, new_id
from windtunnel.domain.viewers import Role
from windtunnel.operations.calibrate_architecture import calibrate_architecture
from windtunnel.operations.simulate import SimulateRequest, simulate
from windtunnel.storage import architectures, audit

TRACES = lines(otlp([*(called("crm", ms=100 + n) for n in range(40)), *(invoked("Triage", ms=50) for _ in range(40))]))


async def test_a_new_architecture_stands_beside_the_old_one(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        old_id = simulation.architecture_id or ""
        made, found = await calibrate_architecture(services, viewer, old_id, TRACES)
        stored = await architectures.get_many(services.store, viewer.tenant_id, [old_id, made.id])
        old = stored[old_id]
        assert stored[made.id] == made
        assert (made.based_on, made.scenario_id) == (old_id, old.scenario_id)
        assert made.changes == found.changes
        assert len(made.changes) == 4
        assert {each.key for each in made.architecture.calibrations} == {"tool_crm", "triage"}
        assert made.digest != old.digest
        assert not old.architecture.calibrations
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        (entry,) = (each for each in entries if each.action == AuditAction.ARCHITECTURE_DEFINED)
        assert entry.subject == Subject(Kind.ARCHITECTURE, made.id)
        assert Subject(Kind.ARCHITECTURE, old_id).global_id in entry.details
        # The same traces again make nothing new.
        again, _ = await calibrate_architecture(services, viewer, old_id, TRACES)
        assert again == made
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        assert [each.action for each in entries].count(AuditAction.ARCHITECTURE_DEFINED) == 1


async def test_what_was_calibrated_is_simulated(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        made, _ = await calibrate_architecture(services, viewer, simulation.architecture_id or "", TRACES)
        run = await simulate(services, viewer, SimulateRequest(architecture_id=made.id, seed=3))
        await conduct_all(services)
        events = await stored_events(services, run)
        triage = [
            event.body["duration_ms"]
            for event in events
            if event.kind is EventKind.AGENT_END and event.agent_key == "triage" and event.body["status"] == "OK"
        ]
        assert triage
        assert min(triage) == 50


async def test_others_and_those_without_the_role_are_refused(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        old_id = simulation.architecture_id or ""
        for who, what in ((await stranger(services.store), old_id), (viewer, new_id()), (viewer, "\0")):
            with pytest.raises(NotFoundError):
                await calibrate_architecture(services, who, what, TRACES)
        with pytest.raises(ForbiddenError):
            await calibrate_architecture(services, replace(viewer, roles=frozenset({Role.AUDITOR})), old_id, TRACES)


async def test_traces_that_say_nothing_make_nothing(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        old_id = simulation.architecture_id or ""
        for data, rule in ((b"hello", "otlp"), (lines(otlp([called("lookup")])), "nothing_fitted")):
            with pytest.raises(ValidationError) as refused:
                await calibrate_architecture(services, viewer, old_id, data)
            assert refused.value.rule == rule
        found, _ = await calibrate_architecture(
            services,
            viewer,
            old_id,
            lines(otlp([called("lookup", ms=5 + n) for n in range(30)])),
            matches={"lookup": "tool_crm"},
        )
        assert [each.key for each in found.architecture.calibrations] == ["tool_crm"]


async def test_in_an_environment_it_lies_in_the_environment(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment)
        made, _ = await calibrate_architecture(services, viewer, simulation.architecture_id or "", TRACES)
        assert namespace_of(made.id) == environment.namespace
        await begun_in(services, viewer, environment, architecture_id=made.id)
        assert await conduct_in(services, environment) == 2
