"""50 subscribers of one simulation at about 100 events a second: stored -> received (goal: p99 20 ms)."""

import asyncio
import time
from datetime import datetime

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.server import TEXT, Served, ms, percentile, print_row, served
from benchmarks.simulate import SIMULATE

SUBSCRIBERS = 50
EVENTS_PER_S = 100.0
EVENTS = "subscription ($id: ID!) { simulationEvents(simulationId: $id) { seq kind at elapsedMs message } }"


async def receive(server: Served, simulation_id: str, delays: list[float]) -> list[tuple[int, float]]:
    """Every event's number and simulated time; adds the delays of those that came live."""
    protocol = Subprotocol("graphql-transport-ws")
    received = []
    async with connect(server.websocket_url, subprotocols=[protocol], compression=None) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        payload = {"query": EVENTS, "variables": {"id": simulation_id}}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        async for raw in socket:
            now = time.time()
            message = orjson.loads(raw)
            if message["type"] == "complete":
                break
            event = message["payload"]["data"]["simulationEvents"]
            received.append((event["seq"], event["elapsedMs"]))
            if event["kind"] not in {"SIMULATION_STARTED", "PLANNER_STEP", "ARCHITECTURE_PLANNED"}:
                delays.append(now - datetime.fromisoformat(event["at"]).timestamp())
    return received


async def simulate(client: httpx.AsyncClient, **more: object) -> str:
    variables = {"input": {"scenario": {"text": TEXT}, "seed": 5, **more}}
    answer = await client.post("/graphql", json={"query": SIMULATE, "variables": variables})
    simulation_id: str = answer.json()["data"]["simulate"]["simulation"]["id"]
    return simulation_id


async def measure(server: Served) -> tuple[list[float], float]:
    """Delays in seconds, and the events per second that were streamed."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        calm = await receive(server, await simulate(client, waitFor="FINISHED"), [])
        pace = calm[-1][1] / 1000 / (len(calm) / EVENTS_PER_S)
        delays: list[float] = []
        simulation_id = await simulate(client, pace=pace)
        begin = time.perf_counter()
        streams = await asyncio.gather(*(receive(server, simulation_id, delays) for _ in range(SUBSCRIBERS)))
        taken = time.perf_counter() - begin
    assert all([seq for seq, _ in stream] == list(range(1, len(calm) + 1)) for stream in streams)
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
