"""A look from inside of an environment: nothing real can be reached, and on a lesser host the report says what can."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.operations.world import demo, process
from tests.waiting import until
from windtunnel.domain.environments import Environment, EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.ids import new_id
from windtunnel.domain.isolation import IsolationLevel, Mechanism, Probe, ProbeOutcome
from windtunnel.domain.production import Snapshot
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.sandboxes import code_remaining, directory_of, end_code, examine, isolation_of, sandbox_of
from windtunnel.operations.services import Services
from windtunnel.sandbox.probing import Targets

WITHOUT_NAMESPACES = frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP})


async def environment_in(services: Services, namespace: str = "0123456789abcdef") -> Environment:
    """An environment that has its directory, and nothing else."""
    viewer, now = await demo(services), datetime(2026, 11, 1, tzinfo=UTC)
    made = Environment(
        id=new_id(), tenant_id=viewer.tenant_id, slot=1, namespace=namespace, name="Trial",
        status=EnvironmentStatus.PROVISIONING, created_at=now, created_by=viewer.user.id, request_id="",
        provision_by=now + timedelta(minutes=5), expires_at=now + timedelta(days=1), limits=EnvironmentLimits(),
        snapshot=Snapshot.of(0, ()), snapshot_digest=Snapshot.of(0, ()).digest, due_at=now,
    )  # fmt: skip
    directory_of(services, made).mkdir(mode=0o700, parents=True)
    return made


async def test_at_full_nothing_real_can_be_reached(sqlite_url: str, tmp_path: Path) -> None:
    async with process(sqlite_url) as services:
        environment, other = await environment_in(services), await environment_in(services, "fedcba9876543210")
        (directory_of(services, other) / "environment.db").write_text("theirs")
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            address = server.sockets[0].getsockname()
            real = Targets(
                production=(Path(sqlite_url.removeprefix("sqlite:///")),),
                outside=(tmp_path,),
                api=(("localhost", address[1]),),
                addresses=(address,),
            )
            report = await examine(replace(services, code_host=CodeHost(real)), environment)
        assert [result.probe for result in report.probes] == list(Probe)
        assert report.minimum is IsolationLevel.FULL
        assert report.details.keys() == {mechanism.value for mechanism in Mechanism}
        outcomes = {result.outcome for result in report.probes}
        assert ProbeOutcome.ALLOWED not in outcomes
        if report.level is IsolationLevel.FULL:
            assert outcomes == {ProbeOutcome.DENIED}
            assert report.allows_code
            assert "processes" not in report.not_enforced


async def test_a_host_without_namespaces_is_not_called_full(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        lesser = replace(services, code_host=CodeHost(without=WITHOUT_NAMESPACES))
        report = await examine(lesser, await environment_in(services))
        assert report.level is not IsolationLevel.FULL
        assert not report.allows_code
        assert ProbeOutcome.ALLOWED not in {result.outcome for result in report.probes}
        assert report.details["namespaces"] == "Switched off."
        assert {"disk", "files", "processes"} <= set(report.not_enforced)


async def test_a_host_with_nothing_owns_up_to_all_of_it(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        lesser = replace(services, code_host=CodeHost(without=frozenset(Mechanism)))
        report = await examine(lesser, await environment_in(services))
        assert report.level is IsolationLevel.LOGICAL
        loose = {result.probe for result in report.probes if result.outcome is ProbeOutcome.NOT_ENFORCED}
        assert {Probe.READ_OTHER_ENVIRONMENT, Probe.READ_PRODUCTION, Probe.REACH_API} <= loose


async def test_the_host_is_looked_at_once(sqlite_url: str) -> None:
    async with process(sqlite_url) as services, asyncio.TaskGroup() as group:
        found = [group.create_task(isolation_of(services)) for _ in range(3)]
    assert found[0].result() is found[1].result() is found[2].result()


async def test_all_that_runs_is_ended(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        environment = await environment_in(services)
        sandbox = await sandbox_of(services, environment, wall_s=60)
        sandbox.prepare()
        assert sandbox.limits.cpu_s == 60 * environment.limits.cpu
        endless = ("python", "-c", "import signal\nwhile True: signal.pause()")
        run = asyncio.create_task(sandbox.run(endless, wall_s=60))
        await until(lambda: bool(code_remaining(services, environment)))
        assert await end_code(services, environment) == 1
        assert (await run).succeeded is False
        assert code_remaining(services, environment) == ()
        assert await end_code(services, environment) == 0
