"""A 100,000-event stream with one client that reads and one that has stopped reading: the server's memory."""

import asyncio
import subprocess
import sys

import orjson
import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.wiring.runtime import Runtime
from benchmarks.embedded import embedded
from benchmarks.server import print_row
from schema.ids import Kind, encode
from windtunnel.domain.events import EventDraft, EventKind
from windtunnel.domain.ids import new_id
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.simulations import FailureInjection, Simulation, SimulationStatus
from windtunnel.operations.announce import announce_events
from windtunnel.storage import events, simulations, tenants

EVENTS = 100_000
BATCH = 100
MIB = 2**20
SUBSCRIBE = """subscription ($id: ID!) { simulationEvents(simulationId: $id) {
  seq kind message ... on NarrativeEvent { text } } }"""


async def client(port: int, simulation_id: str, stalled: bool) -> None:
    """Runs in a process of its own: reads to the end, or subscribes and never reads again."""
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=[protocol], compression=None) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        payload = {"query": SUBSCRIBE, "variables": {"id": simulation_id}}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        await socket.recv()
        print("subscribed", flush=True)
        if stalled:
            socket.transport.pause_reading()
            await asyncio.Event().wait()
        seen = 1
        async for _ in socket:
            seen += 1
            if seen == EVENTS:
                return


def start_client(port: int, simulation_id: str, kind: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.memory", kind, str(port), simulation_id], stdout=subprocess.PIPE
    )


def draft(number: int) -> EventDraft:
    return EventDraft(EventKind.NARRATIVE, f"Event {number}.", {"text": "x" * 200}, elapsed_ms=float(number))


async def open_simulation(runtime: Runtime) -> Simulation:
    """A simulation that only this benchmark writes to."""
    store = runtime.services.store
    viewer = await tenants.ensure_demo(store)
    simulation = Simulation(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        scenario_id=None,
        architecture_id=None,
        package_digest=None,
        status=SimulationStatus.PLANNING,
        seed=1,
        pace=0,
        planner_mode=PlannerMode.OFFLINE,
        failures=FailureInjection.NONE,
        inject_failures=(),
        created_at=await store.now(),
        created_by=viewer.user.id,
        fence=1,
        lease_owner=runtime.owner,
    )
    await simulations.insert(store, simulation)
    return simulation


async def stream(runtime: Runtime, simulation: Simulation, first: int) -> list[float]:
    """Store and announce everything; the resident memory in MiB as it goes."""
    services, memory = runtime.services, []
    for done in range(first, EVENTS, BATCH):
        drafts = [draft(number) for number in range(done + 1, min(done + BATCH, EVENTS) + 1)]
        stored = await events.append(services.store, simulation.tenant_id, simulation.id, 1, done, drafts)
        await announce_events(services.bus, simulation.id, stored)
        if done % 5_000 < BATCH:
            memory.append(psutil.Process().memory_info().rss / MIB)
        await asyncio.sleep(0)
    return memory


async def measure() -> tuple[list[float], int]:
    """Memory samples, and the exit code of the client that reads."""
    async with embedded() as (runtime, port):
        services = runtime.services
        simulation = await open_simulation(runtime)
        first = await events.append(services.store, simulation.tenant_id, simulation.id, 1, 0, [draft(1)])
        await announce_events(services.bus, simulation.id, first)
        clients = [
            await asyncio.to_thread(start_client, port, encode(Kind.SIMULATION, simulation.id), kind)
            for kind in ("reads", "stalled")
        ]
        for process in clients:
            assert process.stdout
            assert await asyncio.to_thread(process.stdout.readline) == b"subscribed\n"
        memory = await stream(runtime, simulation, 1)
        code = await asyncio.to_thread(clients[0].wait, 300)
        memory.append(psutil.Process().memory_info().rss / MIB)
        clients[1].kill()
        clients[1].wait()
    return memory, code


def main() -> None:
    """One writer, two clients, one process that serves them."""
    if len(sys.argv) == 4:
        asyncio.run(client(int(sys.argv[2]), sys.argv[3], stalled=sys.argv[1] == "stalled"))
        return
    memory, code = asyncio.run(measure())
    assert code == 0, "the reading client did not get everything"
    print_row(
        f"memory while {EVENTS:,} events pass a stalled client",
        f"start {memory[1]:.0f} MiB",
        f"peak {max(memory):.0f} MiB",
        f"end {memory[-1]:.0f} MiB",
    )


if __name__ == "__main__":
    main()
