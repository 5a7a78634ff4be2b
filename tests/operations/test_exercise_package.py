"""A package's own code: run in the sandbox of its environment before the story, and nowhere else."""

import secrets

import pytest

from tests.operations.care import now, resources
from tests.operations.environment_world import begun_in
from tests.operations.packages_world import agent, mine, ready_for, simulated, told_in, tries, uploaded
from tests.operations.world import conduct_all, demo, now_stored, process, queued, stored_events, tale
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.environments import EnvironmentStatus, ResourceKind, ResourceStatus
from windtunnel.domain.errors import QuotaError
from windtunnel.domain.isolation import IsolationLevel, Mechanism
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.exercise_package import AT_HOME
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation

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
        assert "It ended with exit status 1. ill at health.py" in ill.message
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
