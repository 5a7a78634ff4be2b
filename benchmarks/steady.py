"""50 subscribers of a steady stream of 100 events a second: stored -> received (goal: p99 20 ms)."""

import asyncio
import sys
from datetime import datetime

import uvloop

from benchmarks.embedded import embedded
from benchmarks.fan_out import EVENTS, SUBSCRIBERS
from benchmarks.listener import listen
from benchmarks.memory import draft, open_simulation
from benchmarks.server import ms, percentile, print_row
from schema.ids import Kind, encode
from windtunnel.operations.announce import announce_events
from windtunnel.storage import events, transitions

COUNT = 500
EVERY_S = 0.01
WARM_UP = 20


async def clients(port: int, simulation_id: str) -> None:
    """Runs in a process of its own: every subscriber, then the figures."""
    listeners = await asyncio.gather(*(listen(port, EVENTS, {"id": simulation_id}) for _ in range(SUBSCRIBERS)))
    delays = [
        at - datetime.fromisoformat(str(event["at"])).timestamp()
        for listener in listeners
        for at, event in listener.messages()
        if int(str(event["seq"])) > WARM_UP
    ]
    assert len(delays) == SUBSCRIBERS * (COUNT + 1 - WARM_UP)
    print_row(
        f"stored -> received, {SUBSCRIBERS} subscribers x {1 / EVERY_S:.0f} ev/s, steady",
        f"p50 {ms(percentile(delays, 0.5))}",
        f"p99 {ms(percentile(delays, 0.99))}",
        f"max {ms(max(delays))}",
    )


async def write() -> None:
    """Serve, wait for every subscriber, then store and announce one event at a time."""
    async with embedded() as (runtime, port):
        services = runtime.services
        simulation = await open_simulation(runtime)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.steady", str(port), encode(Kind.SIMULATION, simulation.id)
        )
        async with asyncio.timeout(60):
            while services.hub.followers < SUBSCRIBERS:  # noqa: ASYNC110 - the hub tells nobody who joins
                await asyncio.sleep(0.05)
            loop = asyncio.get_running_loop()
            begin = loop.time()
            for done in range(COUNT):
                stored = await events.append(
                    services.store, simulation.tenant_id, simulation.id, 1, done, [draft(done + 1)]
                )
                await announce_events(services.bus, simulation.id, stored)
                await asyncio.sleep(max(0.0, begin + (done + 1) * EVERY_S - loop.time()))
            last = await transitions.cancelled(services.store, simulation.tenant_id, simulation.id, "Enough.")
            await announce_events(services.bus, simulation.id, last)
            assert await child.wait() == 0


def main() -> None:
    """One server, one writer in it, and a process of subscribers."""
    if len(sys.argv) == 3:
        asyncio.run(clients(int(sys.argv[1]), sys.argv[2]))
        return
    uvloop.run(write())


if __name__ == "__main__":
    main()
