"""What a package's code cannot do in an environment: get out, take too much, or stay."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.operations.care import left_of, now, tend_all
from tests.operations.environment_world import begun_in, stored_in
from tests.operations.packages_world import agent, ready_for, simulated, told_in, tries, uploaded
from tests.operations.world import demo, process
from tests.sandbox.house import STUBBORN, named, new_name
from tests.waiting import until
from windtunnel.domain.confinement import Limit
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.isolation import IsolationLevel, Mechanism, Probe, ProbeOutcome
from windtunnel.domain.simulations import Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.places import in_environment
from windtunnel.operations.sandboxes import code_remaining
from windtunnel.operations.services import Services
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation

ATTEMPTS = """
import json, os, socket
def told(given):
    return json.loads(given["text"])
def run(given):
    return {}
def read_other_environment(given):
    return {"is": len(open(told(given)["other"], "rb").read(1))}
def read_production(given):
    return {"is": len(open(told(given)["production"], "rb").read(1))}
def write_outside(given):
    open(told(given)["outside"], "w").close()
    return {}
def list_processes(given):
    os.stat(f"/proc/{told(given)['server']}/stat")
    with open(f"/proc/{told(given)['server']}/stat") as file:
        assert "(%s)" % told(given)["comm"] in file.read()
    return {}
def read_parent_environment(given):
    return {"is": len(open(f"/proc/{told(given)['server']}/environ", "rb").read(1))}
def reach_api(given):
    socket.create_connection(("127.0.0.1", told(given)["port"]), 1).close()
    return {}
"""
COMMAND = Path("/proc/self/comm").read_text("utf-8").strip()
FILES_AND_STREAMS = {
    "read_other_environment": Probe.READ_OTHER_ENVIRONMENT,
    "read_production": Probe.READ_PRODUCTION,
    "write_outside": Probe.WRITE_OUTSIDE,
    "list_processes": Probe.LIST_PROCESSES,
    "reach_api": Probe.REACH_API,
}


async def read(path: Path) -> bytes:
    return await asyncio.to_thread(path.read_bytes)


@pytest.mark.parametrize("without", [frozenset(), frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP})])
async def test_what_code_gets_at_is_what_the_report_owns_up_to(
    sqlite_url: str, tmp_path: Path, without: frozenset[Mechanism]
) -> None:
    async with process(sqlite_url, code_host=CodeHost(without=without)) as services:
        you = await demo(services)
        await set_minimum_isolation(services, you, IsolationLevel.LANDLOCK)
        environment, other = await ready_for(services), await ready_for(services)
        assert environment.isolation
        if not environment.isolation.allows_code:
            assert environment.isolation.level is IsolationLevel.LOGICAL  # of this host there is no more to be had
            return
        outside = tmp_path / "outside"
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            targets = {
                "other": str(services.environments_dir / other.namespace / "environment.db"),
                "production": sqlite_url.removeprefix("sqlite:///"),
                "outside": str(outside),
                "server": os.getpid(),
                "comm": COMMAND,
                "port": server.sockets[0].getsockname()[1],
            }
            assert (await read(Path(str(targets["other"])))).startswith(b"SQLite")
            package = agent(ATTEMPTS, *FILES_AND_STREAMS)
            simulation = await simulated(services, environment, package, text=json.dumps(targets))
        assert simulation.exercise
        results = {call.name: call.result.value for call in simulation.exercise.calls if call.name}
        outcomes = {each.probe: each.outcome for each in environment.isolation.probes}
        for name, probe in FILES_AND_STREAMS.items():
            assert (results[name] == "OK") == (outcomes[probe] is not ProbeOutcome.DENIED), (name, results[name])
        if environment.isolation.level is IsolationLevel.FULL:
            assert set(results.values()) == {"RAISED"}
            assert not outside.exists()


RUNAWAYS = {
    Limit.MEMORY: "def run(given): return {'size': len(bytearray(1 << 30))}",
    Limit.CPU: "def run(given):\n    while True: pass",
    Limit.PROCESSES: "import os, signal\ndef run(given):\n    while True:\n        if not os.fork(): signal.pause()",
    Limit.DISK: "import os\ndef run(given):\n    with open(os.environ['HOME'] + '/file', 'wb') as file:\n"
    "        while True: file.write(bytes(1 << 20)); file.flush()",
    Limit.FILES: "import os\ndef run(given):\n    n = 0\n    while True:\n        n += 1\n"
    "        open(os.environ['HOME'] + f'/{n}', 'w').close()",
    Limit.OUTPUT: "def run(given):\n    while True: print('x' * 10_000)",
    Limit.WALL: "import signal\ndef run(given):\n    while True: signal.pause()",
}


@pytest.mark.parametrize("limit", list(RUNAWAYS))
async def test_a_runaway_stops_at_its_limit_and_harms_nobody(sqlite_url: str, limit: Limit) -> None:
    async with process(sqlite_url) as services:
        environment, other = await ready_for(services, memory_mb=64, storage_mb=16), await ready_for(services)
        bounds = {"cpuSeconds": 1, "wallSeconds": 1.5 if limit is Limit.WALL else 20}
        well, ill = agent("def run(given): return {}"), agent(RUNAWAYS[limit], limits=bounds, version="2.0.0")
        stopped, neighbour = await asyncio.gather(
            simulated(services, environment, ill), simulated(services, other, well)
        )
        assert stopped.status is SimulationStatus.FAILED
        assert stopped.error
        assert stopped.error.code is ErrorCode.LIMIT_EXCEEDED
        assert f"its {limit} limit in the entry point" in stopped.error.message
        assert tries(await told_in(services, environment, stopped))[-1] == ("entrypoint", "LIMIT_EXCEEDED")
        assert neighbour.status is SimulationStatus.SUCCEEDED
        again = await simulated(services, environment, well)
        assert again.status is SimulationStatus.SUCCEEDED
        assert code_remaining(services, environment) == ()


ENDLESS = f"""
import subprocess, sys
def run(given):
    subprocess.run([sys.executable, "-I", "-S", "-c", {STUBBORN!r}, given["text"].split()[0]])
    return {{}}
"""


@asynccontextmanager
async def endless(
    services: Services, you: Viewer, environment: Environment, name: str
) -> AsyncIterator[tuple[Simulation, "asyncio.Task[None]"]]:
    """A simulation whose code does not want to end, from when that runs, and what conducts it."""
    digest = await uploaded(services, you, agent(ENDLESS))
    simulation = await begun_in(services, you, environment, text=f"{name} reads a ticket.", package_digest=digest)
    async with in_environment(services, environment) as place:
        (claimed,) = await claim_runs(place, "worker", 10)
        conducting = asyncio.create_task(conduct_simulation(place, claimed))
        await until(lambda: bool(named(name)))
        yield simulation, conducting


async def test_code_that_does_not_want_to_end_is_gone_soon_after_the_environment_is_deleted(sqlite_url: str) -> None:
    name = new_name()
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services)
        async with endless(services, you, environment, name) as (simulation, conducting):
            begun = time.monotonic()
            await delete_environment(services, you, environment.id)
            await tend_all(services)
            assert (await now(services, environment)).status is EnvironmentStatus.DELETED
            assert named(name) == []
            assert time.monotonic() - begun < 30
            await asyncio.gather(conducting, return_exceptions=True)
        assert simulation.id
        assert await left_of(services, environment) == []


async def test_a_simulation_that_is_cancelled_takes_its_code_with_it(sqlite_url: str) -> None:
    name = new_name()
    async with process(sqlite_url) as services:
        you, environment = await demo(services), await ready_for(services)
        async with endless(services, you, environment, name) as (simulation, conducting):
            begun = time.monotonic()
            await cancel_simulation(services, you, simulation.id)
            await conducting
            assert named(name) == []
            assert time.monotonic() - begun < 30
        stored = await stored_in(services, environment, simulation.id)
        assert stored
        assert stored.status is SimulationStatus.CANCELLED
        assert stored.exercise is None
        assert code_remaining(services, environment) == ()
        assert (await now(services, environment)).usage.cpu_ms > 0  # of what had ended before
