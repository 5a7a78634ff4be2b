"""A package's own code: run in the sandbox of its environment before the story, and nowhere else."""

import asyncio
import secrets
from datetime import timedelta

import pytest

from tests.operations.care import now, resources
from tests.operations.environment_world import begun_in, stored_in
from tests.operations.packages_world import agent, mine, ready_for, simulated, told_in, tries, uploaded
from tests.operations.world import conduct_all, demo, now_stored, process, queued, stored_events, tale
from tests.waiting import until
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.confinement import Limit
from windtunnel.domain.environments import EnvironmentStatus, ResourceKind, ResourceStatus
from windtunnel.domain.errors import ErrorCode, QuotaError
from windtunnel.domain.exercises import Call, CallKind, CallResult, Exercise
from windtunnel.domain.isolation import IsolationLevel, Mechanism
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import Simulation, SimulationStatus
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.exercise_package import AT_HOME
from windtunnel.operations.places import in_environment
from windtunnel.operations.sandboxes import code_remaining
from windtunnel.operations.scribe import Scribe
from windtunnel.operations.services import Services
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation
from windtunnel.storage import simulations

TRIES = """
import json, os
def run(given):
    return {"given": given, "variables": sorted(os.environ)}
def good(given):
    assert given == {"mode": "offline", "purpose": "tool", "text": given["text"], "seed": 11, "tool": "good"}
    return {}
def bad(given):
    raise ValueError(f"no such ticket {object()}")
def odd(given):
    return [1]
def gone(given):
    os._exit(3)
"""


async def exercised(place: Services, simulation: Simulation) -> bool:
    found = await simulations.get(place.store, simulation.tenant_id, simulation.id)
    return found is not None and found.exercise is not None


async def test_everything_that_a_package_declares_is_tried_before_the_story(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await ready_for(services)
        simulation = await simulated(services, environment, agent(TRIES, "good", "bad", "odd", "gone"))
        assert simulation.status is SimulationStatus.SUCCEEDED, simulation.error
        told = await told_in(services, environment, simulation)
        assert tries(told) == [
            ("health", "OK"),
            ("entrypoint", "OK"),
            ("tool", "OK"),
            ("tool", "RAISED"),
            ("tool", "BAD_OUTPUT"),
            ("tool", "CRASHED"),
        ]
        tried = [event for event in told if event.message.endswith(("of the package works.", "…>"))]
        assert tried[0].message == "The health command of the package works."
        assert "ValueError: no such ticket <object object at 0x…>" in tried[-1].message
        assert {event.elapsed_ms for event in tried} == {0.0}
        assert simulation.story_from_seq == next(
            event.seq for event in reversed(told) if event.body.get("name", "").startswith("package.")
        )
        assert simulation.exercise
        assert [call.result.value for call in simulation.exercise.calls] == [result for _, result in tries(told)]
        assert simulation.exercise.cpu_ms > 0
        assert (await now(services, environment)).usage.cpu_ms == simulation.exercise.cpu_ms
        again = await simulated(services, environment, agent(TRIES, "good", "bad", "odd", "gone"))
        assert tale(told) == tale(await told_in(services, environment, again))


async def test_whoever_goes_on_with_a_simulation_does_not_run_the_code_again(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services)
        digest = await uploaded(services, you, agent(TRIES))
        undisturbed = await simulated(services, environment, agent(TRIES))
        simulation = await begun_in(services, you, environment, package_digest=digest, pace=0.001)
        async with in_environment(services, environment) as place:
            (claimed,) = await claim_runs(place, "first", 10)
            conducting = asyncio.create_task(conduct_simulation(place, claimed))
            while not await exercised(place, claimed):  # noqa: ASYNC110 (it has no event that all can hear of)
                await asyncio.sleep(0)
            conducting.cancel()
            await asyncio.gather(conducting, return_exceptions=True)
            await place.store.of(you.tenant_id).fetch("UPDATE simulations SET pace = 0")
            services.store.clock_offset += timedelta(milliseconds=LEASE_MS + 1)
            (again,) = await claim_runs(place, "second", 10)
            assert again.exercise
            used = (await now(services, environment)).usage.cpu_ms
            await conduct_simulation(place, again)
        ended = await stored_in(services, environment, simulation.id)
        assert ended
        assert ended.status is SimulationStatus.SUCCEEDED
        assert (await now(services, environment)).usage.cpu_ms == used
        assert tale(await told_in(services, environment, ended)) == tale(
            await told_in(services, environment, undisturbed)
        )


async def test_whoever_died_while_code_ran_has_it_run_again(sqlite_url: str) -> None:
    endless = "import signal\ndef run(given):\n    while True: signal.pause()"
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services)
        limits = {"wallSeconds": 1}
        digest = await uploaded(services, you, agent(endless, limits=limits))
        simulation = await begun_in(services, you, environment, package_digest=digest)
        async with in_environment(services, environment) as place:
            (claimed,) = await claim_runs(place, "first", 10)
            conducting = asyncio.create_task(conduct_simulation(place, claimed))
            await until(lambda: bool(code_remaining(services, environment)))
            conducting.cancel()
            await asyncio.gather(conducting, return_exceptions=True)
            assert code_remaining(services, environment) == ()
            services.store.clock_offset += timedelta(milliseconds=LEASE_MS + 1)
            (again,) = await claim_runs(place, "second", 10)
            assert again.exercise is None
            await conduct_simulation(place, again)
        ended = await stored_in(services, environment, simulation.id)
        assert ended
        assert ended.error
        assert ended.error.code is ErrorCode.LIMIT_EXCEEDED
        told = await told_in(services, environment, ended)
        assert tries(told) == [("health", "OK"), ("entrypoint", "LIMIT_EXCEEDED")]
        assert [event.seq for event in told] == list(range(1, len(told) + 1))


async def test_a_breach_that_was_noted_ends_the_simulation_whoever_goes_on(sqlite_url: str) -> None:
    broke = Exercise(
        (
            Call(
                CallKind.HEALTH, "", CallResult.LIMIT_EXCEEDED, "It kept more than 16 MiB in its directory.", Limit.DISK
            ),
        )
    )
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services)
        digest = await uploaded(services, you, agent(TRIES))
        simulation = await begun_in(services, you, environment, package_digest=digest)
        async with in_environment(services, environment) as place:
            (claimed,) = await claim_runs(place, "first", 10)
            await Scribe(place, claimed).exercised(broke)
            services.store.clock_offset += timedelta(milliseconds=LEASE_MS + 1)
            (again,) = await claim_runs(place, "second", 10)
            await conduct_simulation(place, again)
        ended = await stored_in(services, environment, simulation.id)
        assert ended
        assert ended.error
        assert ended.error.message == (
            "The package broke its disk limit in the health command. It kept more than 16 MiB in its directory."
        )


async def test_the_package_lies_in_the_environment_read_only_and_on_record(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        environment = await ready_for(services)
        simulation = await simulated(services, environment, agent(TRIES))
        (package,) = [each for each in await resources(services, environment) if each.kind is ResourceKind.PACKAGE]
        assert package.status is ResourceStatus.CREATED
        assert package.locator == f"{environment.namespace}/packages/{simulation.package_digest}"
        place = services.environments_dir / package.locator
        (place / "agent").chmod(0o755)
        (place / "agent/main.py").chmod(0o644)
        (place / "agent/main.py").write_text("raise SystemExit")
        again = await simulated(services, environment, agent(TRIES))
        assert tries(await told_in(services, environment, again)) == [("health", "OK"), ("entrypoint", "OK")]
        assert (place / "agent/main.py").read_text() == TRIES


async def test_at_home_no_code_is_run_and_the_simulation_says_so(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you = await demo(services)
        digest = await uploaded(services, you, agent(TRIES))
        simulation = await queued(services, you, package_digest=digest)
        await conduct_all(services)
        assert (await now_stored(services, simulation)).status is SimulationStatus.SUCCEEDED
        told = await stored_events(services, simulation)
        assert tries(told) == [("code", "NOT_RUN")]
        assert AT_HOME in [event.message for event in told]


async def test_below_the_minimum_no_code_is_run_and_the_simulation_goes_on(sqlite_url: str) -> None:
    lesser = CodeHost(without=frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}))
    async with process(sqlite_url, code_host=lesser) as services:
        environment = await ready_for(services)
        assert environment.status is EnvironmentStatus.READY
        assert environment.isolation
        assert not environment.isolation.allows_code
        simulation = await simulated(services, environment, agent("raise SystemExit"))
        assert simulation.status is SimulationStatus.SUCCEEDED
        told = await told_in(services, environment, simulation)
        assert tries(told) == [("code", "NOT_RUN")]
        (said,) = [event.message for event in told if event.body.get("name") == "package.code"]
        assert "your tenant wants FULL" in said
        if environment.isolation.level is IsolationLevel.LANDLOCK:
            await set_minimum_isolation(services, await demo(services), IsolationLevel.LANDLOCK)
            simulation = await simulated(services, environment, agent(TRIES))
            assert tries(await told_in(services, environment, simulation)) == [("health", "OK"), ("entrypoint", "OK")]


async def test_a_minimum_that_was_raised_counts_at_once(sqlite_url: str) -> None:
    lesser = CodeHost(without=frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}))
    async with process(sqlite_url, code_host=lesser) as services:
        you = await demo(services)
        await set_minimum_isolation(services, you, IsolationLevel.LANDLOCK)
        environment = await ready_for(services)
        await set_minimum_isolation(services, you, IsolationLevel.FULL)
        simulation = await simulated(services, environment, agent(TRIES))
        assert tries(await told_in(services, environment, simulation)) == [("code", "NOT_RUN")]


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        ({"kind": "command", "ref": "python", "args": ["health.py"]}, "OK"),
        ({"kind": "command", "ref": "python", "args": ["-c", "raise SystemExit(2)"]}, "CRASHED"),
        ({"kind": "command", "ref": "nothing-like-it", "args": []}, "CRASHED"),
        ({"kind": "a2a-remote", "ref": "https://agents.example.org/triage", "args": []}, "NOT_RUN"),
        ({"kind": "openai-agents", "ref": "agent.main:run", "args": []}, "NOT_RUN"),
        ({"kind": "python-module", "ref": "agent.main:other", "args": []}, "NOT_FOUND"),
    ],
)
async def test_each_kind_of_entry_point_is_tried_as_far_as_it_can_be(
    sqlite_url: str, entry: dict[str, object], result: str
) -> None:
    async with process(sqlite_url) as services:
        environment = await ready_for(services)
        simulation = await simulated(services, environment, agent(TRIES, entrypoint=entry))
        assert tries(await told_in(services, environment, simulation))[1] == ("entrypoint", result)
        assert simulation.status is SimulationStatus.SUCCEEDED


async def test_health_card_and_remote_tools(sqlite_url: str) -> None:
    files = {"health.py": b"import sys\nsys.exit('ill at ' + __file__)\n", "agent-card.json": b"{}", "a.py": b""}
    tools = [{"id": "far", "kind": "http", "ref": "https://example.org", "sideEffects": "read", "scopes": []}]
    entry = {"kind": "python-module", "ref": "a:run", "args": []}
    async with process(sqlite_url) as services:
        environment = await ready_for(services)
        simulation = await simulated(services, environment, mine(files, tools=tools, entrypoint=entry))
        told = await told_in(services, environment, simulation)
        assert tries(told) == [
            ("health", "UNHEALTHY"),
            ("card", "OK"),
            ("entrypoint", "NOT_FOUND"),
            ("tool", "NOT_RUN"),
        ]
        (ill,) = [event for event in told if event.body.get("name") == "package.health"]
        assert 'It ended with exit status 1. The last that it wrote: "ill at health.py".' in ill.message
        assert environment.namespace not in ill.message
        broken = mine(files | {"agent-card.json": b"no JSON"}, tools=tools, entrypoint=entry)
        simulation = await simulated(services, environment, broken)
        assert tries(await told_in(services, environment, simulation))[1] == ("card", "BAD_OUTPUT")


async def test_a_package_that_is_more_than_the_environment_may_keep_is_refused(sqlite_url: str) -> None:
    files = {"health.py": b"", "agent/main.py": b"", "data": secrets.token_bytes(17 * 1024 * 1024)}
    entry = {"kind": "python-module", "ref": "agent.main:run", "args": []}
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services, storage_mb=16)
        digest = await uploaded(services, you, mine(files, tools=[], entrypoint=entry))
        with pytest.raises(QuotaError) as refusal:
            await begun_in(services, you, environment, package_digest=digest)
        assert refusal.value.path == ("input", "package_digest")
        assert refusal.value.limit == 16


async def test_code_sees_the_configuration_and_no_secret_of_it(sqlite_url: str) -> None:
    telling = "import os\ndef run(given): raise ValueError([f'{k}={v}' for k, v in os.environ.items()])"
    async with process(sqlite_url) as services:
        entries = [
            EntryRequest("GREETING", "hello", secret=False),
            EntryRequest("TOKEN", "hidden", secret=True),
            EntryRequest("not-a.name", "left out", secret=False),
        ]
        await configure_production(services, await demo(services), entries)
        environment = await ready_for(services)
        simulation = await simulated(services, environment, agent(telling))
        (entry,) = [
            event.message
            for event in await told_in(services, environment, simulation)
            if event.body.get("name") == "package.entrypoint"
        ]
        assert "'GREETING=hello'" in entry
        assert not any(word in entry for word in ("TOKEN", "hidden", "left out", environment.namespace))
