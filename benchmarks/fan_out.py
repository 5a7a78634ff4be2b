"""50 subscribers of one simulation at about 100 events a second, in bursts of 16: stored -> received."""

import asyncio
import time
from datetime import datetime

import httpx

from benchmarks.listener import listen
from benchmarks.server import TEXT, Served, ms, percentile, print_row, served
from benchmarks.simulate import SIMULATE

PLANNING = {"SIMULATION_STARTED", "PLANNER_STEP", "ARCHITECTURE_PLANNED"}
SUBSCRIBERS = 50
EVENTS_PER_S = 100.0
EVENTS = "subscription ($id: ID!) { simulationEvents(simulationId: $id) { seq kind at elapsedMs message } }"


async def simulate(client: httpx.AsyncClient, **more: object) -> str:
    variables = {"input": {"scenario": {"text": TEXT}, "seed": 5, **more}}
    answer = await client.post("/graphql", json={"query": SIMULATE, "variables": variables})
    simulation_id: str = answer.json()["data"]["simulate"]["simulation"]["id"]
    return simulation_id


async def measure(server: Served) -> tuple[list[float], float]:
    """Delays in seconds of what came live, and the events per second that were streamed."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        calm = (await listen(server.port, EVENTS, {"id": await simulate(client, waitFor="FINISHED")})).messages()
        simulated_ms = calm[-1][1]["elapsedMs"]
        assert isinstance(simulated_ms, float)
        pace = simulated_ms / 1000 / (len(calm) / EVENTS_PER_S)
        simulation_id = await simulate(client, pace=pace)
        begin = time.perf_counter()
        listeners = await asyncio.gather(
            *(listen(server.port, EVENTS, {"id": simulation_id}) for _ in range(SUBSCRIBERS))
        )
        taken = time.perf_counter() - begin
    delays = []
    for listener in listeners:
        messages = listener.messages()
        assert [event["seq"] for _, event in messages] == list(range(1, len(calm) + 1))
        delays += [
            at - datetime.fromisoformat(str(event["at"])).timestamp()
            for at, event in messages
            if event["kind"] not in PLANNING
        ]
    return delays, len(calm) / taken


def main() -> None:
    """One paced simulation, watched by fifty clients in this process."""
    with served() as server:
        delays, rate = asyncio.run(measure(server))
    print_row(
        f"stored -> received, {SUBSCRIBERS} subscribers x {rate:.0f} ev/s",
        f"p50 {ms(percentile(delays, 0.5))}",
        f"p99 {ms(percentile(delays, 0.99))}",
        f"max {ms(max(delays))}",
    )


if __name__ == "__main__":
    main()
