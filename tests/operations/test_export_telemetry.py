"""Telemetry leaves when somebody asks: to the operator's collector alone, on record, and only of what is over."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.operations.environment_world import begun_in, conduct_in, opened_environment
from tests.operations.world import conduct_all, demo, process, queued
from tests.storage.worlds import stranger
from tests.telemetry.collectors import Received, collecting
from tests.telemetry.reading import read
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    UnavailableError,
)
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.export_telemetry import export_telemetry, telemetry_of
from windtunnel.operations.services import Services
from windtunnel.storage import audit
from windtunnel.telemetry.collector import collector_of
from windtunnel.telemetry.conventions import Profile
from windtunnel.telemetry.export import Kind as Signal


@pytest.fixture
def collector() -> Iterator[Received]:
    with collecting() as received:
        yield received


async def _exports(services: Services, viewer: Viewer) -> list[str]:
    entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
    return [entry.details for entry in entries if entry.action == AuditAction.TELEMETRY_EXPORTED]


async def test_the_collector_gets_the_run_and_it_is_on_record(database_url: str, collector: Received) -> None:
    async with process(database_url, collector=collector_of(collector.url, "x-api-key=secret")) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)
        sent = await export_telemetry(services, viewer, simulation.id)
        resource = collector.traces[0].resource_spans[0]
        assert sent.simulation.id == simulation.id
        assert (sent.spans, sent.rejected) == (len(resource.scope_spans[0].spans), ())
        assert sent.metrics > 0
        assert sent.log_records == len(collector.logs[0].resource_logs[0].scope_logs[0].log_records)
        found = read(resource.resource.attributes)
        assert found["windtunnel.simulation.id"] == Subject(Kind.SIMULATION, simulation.id).global_id
        assert found["windtunnel.seed"] == simulation.seed
        started = sent.simulation.started_at
        assert started is not None
        begin = min(span.start_time_unix_nano for span in resource.scope_spans[0].spans)
        assert begin // 1_000_000 == round(started.timestamp() * 1_000)
        assert "secret" not in str(await _exports(services, viewer))
        # Sent again it is the same again, and on record again.
        await export_telemetry(services, viewer, simulation.id)
        assert collector.traces[1] == collector.traces[0]
        assert len(await _exports(services, viewer)) == 2


async def test_the_profile_of_the_settings_is_followed(sqlite_url: str) -> None:
    names = []
    for profile in Profile:
        async with process(sqlite_url, profile=profile) as services:
            viewer = await demo(services)
            simulation = await queued(services, viewer)
            await conduct_all(services)
            _, exported = await telemetry_of(services, viewer.tenant_id, simulation.id)
            scope = exported.metrics.resource_metrics[0].scope_metrics[0]
            names.append({metric.name for metric in scope.metrics})
    assert "gen_ai.invoke_agent.duration" in names[1] - names[0]


async def test_nothing_is_sent_anywhere_without_a_collector_of_the_operator(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)
        with pytest.raises(PolicyError, match="OTEL_EXPORTER_OTLP_ENDPOINT") as refused:
            await export_telemetry(services, viewer, simulation.id)
        assert refused.value.code is ErrorCode.FEATURE_DISABLED
        assert await _exports(services, viewer) == []


async def test_a_run_under_way_has_no_telemetry_to_send(database_url: str, collector: Received) -> None:
    async with process(database_url, collector=collector_of(collector.url)) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        with pytest.raises(ConflictError, match="once the simulation is over") as refused:
            await export_telemetry(services, viewer, simulation.id)
        assert refused.value.current == "QUEUED"
        assert collector.paths == []


async def test_others_runs_and_roles_are_refused(database_url: str, collector: Received) -> None:
    async with process(database_url, collector=collector_of(collector.url)) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)
        for who, what in ((await stranger(services.store), simulation.id), (viewer, new_id()), (viewer, "\0")):
            with pytest.raises(NotFoundError):
                await export_telemetry(services, who, what)
        with pytest.raises(ForbiddenError):
            await export_telemetry(services, replace(viewer, roles=frozenset({Role.AUDITOR})), simulation.id)
        assert collector.paths == []


async def test_a_collector_that_refuses_is_told_and_the_attempt_stays_on_record(
    sqlite_url: str, collector: Received
) -> None:
    async with process(sqlite_url, collector=collector_of(collector.url)) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)
        collector.answers = [401]
        with pytest.raises(UnavailableError, match="it answered 401"):
            await export_telemetry(services, viewer, simulation.id)
        assert len(await _exports(services, viewer)) == 1
        collector.rejects = 3
        sent = await export_telemetry(services, viewer, simulation.id)
        assert sent.rejected == ("traces: 3 rejected, too old",)


async def test_a_run_in_an_environment_is_exported_as_any_other(database_url: str, collector: Received) -> None:
    async with process(database_url, collector=collector_of(collector.url)) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment)
        await conduct_in(services, environment)
        sent = await export_telemetry(services, viewer, simulation.id)
        assert sent.spans > 0
        _, exported = await telemetry_of(services, viewer.tenant_id, simulation.id)
        assert exported.counts()[Signal.TRACES] == sent.spans
