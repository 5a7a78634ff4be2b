"""`simulate` with the offline planner: accepted -> first event, and the whole payload (goals: p99 100 and 300 ms)."""

import asyncio
import time

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.server import TEXT, Served, ms, percentile, print_row, served

REQUESTS = 200
SIMULATE = "mutation ($input: SimulateInput!) { simulate(input: $input) { simulation { id } errors { message } } }"
EVENTS = "subscription ($id: ID!) { simulationEvents(simulationId: $id) { seq } }"


async def first_event(socket: ClientConnection, number: int, simulation_id: str) -> None:
    """Subscribe on an open socket and return when the first event is there."""
    payload = {"query": EVENTS, "variables": {"id": simulation_id}}
    await socket.send(orjson.dumps({"id": str(number), "type": "subscribe", "payload": payload}).decode())
    seen = False
    while True:
        message = orjson.loads(await socket.recv())
        if message.get("id") == str(number):
            assert message["type"] == "next", message
            seen = True
        if seen:
            await socket.send(orjson.dumps({"id": str(number), "type": "complete"}).decode())
            return


async def measure(server: Served) -> tuple[list[float], list[float]]:
    """Seconds to the payload, and from acceptance to the first event."""
    payloads: list[float] = []
    firsts: list[float] = []
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        connect(server.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None) as socket,
    ):
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        for number in range(REQUESTS + 5):
            for stage, times in (("PLANNED", payloads), ("ACCEPTED", firsts)):
                variables = {"input": {"scenario": {"text": TEXT}, "waitFor": stage}}
                begin = time.perf_counter()
                answer = await client.post("/graphql", json={"query": SIMULATE, "variables": variables})
                simulation_id = answer.json()["data"]["simulate"]["simulation"]["id"]
                if stage == "ACCEPTED":
                    begin = time.perf_counter()
                    await first_event(socket, number, simulation_id)
                if number >= 5:  # the first ones warm imports and caches
                    times.append(time.perf_counter() - begin)
    return payloads, firsts


def main() -> None:
    """Sequential requests against one server."""
    with served() as server:
        payloads, firsts = asyncio.run(measure(server))
    for what, times in (("simulate -> payload with the architecture", payloads), ("accepted -> first event", firsts)):
        print_row(what, f"p50 {ms(percentile(times, 0.5))}", f"p99 {ms(percentile(times, 0.99))}")


if __name__ == "__main__":
    main()
