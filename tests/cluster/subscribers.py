"""Subscribers over real sockets, each signed in by a token and following many things on one connection."""

import asyncio
from collections import defaultdict
from types import TracebackType
from typing import Any, Self

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

EVENTS = """subscription ($id: ID!, $after: Int) { simulationEvents(simulationId: $id, after: $after) {
  simulationId seq kind elapsedMs agentKey message
  ... on ArchitecturePlannedEvent { architecture { id scenario { id text createdBy { email } } } }
  ... on ToolUsedEvent { toolKey input output } ... on DataFlowEvent { linkKey payload }
  ... on FailureEvent { failureKey code detail } ... on ObservabilityEvent { name attributes }
  ... on AgentStepEvent { task } ... on NarrativeEvent { text } } }"""
NOTIFICATIONS = """subscription { notificationReceived(after: 0) { id seq kind title body
  subject { id ... on Simulation { status createdBy { email } scenario { text } } } } }"""
PLAIN = "subscription { notificationReceived(after: 0) { id seq kind title body } }"
INBOX, PLAIN_INBOX = "notifications", "plain notifications"


class Subscriber:
    """One socket. `received` holds what each operation brought, `ended` how it ended: None, or its errors."""

    def __init__(self, url: str, token: str) -> None:
        self.received: dict[str, list[Any]] = defaultdict(list)
        self.ended: dict[str, Any] = {}
        self._url = url
        self._token = token
        self._news = asyncio.Condition()
        self._connection: ClientConnection
        self._reading: asyncio.Task[None]
        self._pongs = 0

    async def __aenter__(self) -> Self:
        self._connection = await connect(
            self._url,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            max_size=None,
            max_queue=None,
            open_timeout=60,
        )
        await self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        assert orjson.loads(await self._connection.recv())["type"] == "connection_ack"
        self._reading = asyncio.create_task(self._read())
        await self._subscribe(INBOX, NOTIFICATIONS, {})
        await self._subscribe(PLAIN_INBOX, PLAIN, {})  # waits for no data: its results are the kind that can be shared
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._connection.close()

    async def follow(self, simulation_id: str) -> None:
        """Ask for all events of a simulation; the operation is named like it."""
        await self._subscribe(simulation_id, EVENTS, {"id": simulation_id, "after": 0})

    async def has(self, operation: str, count: int) -> None:
        """Wait until so many results have come."""
        await self._until(lambda: len(self.received[operation]) >= count)

    async def end_of(self, operation: str) -> None:
        """Wait until an operation has ended."""
        await self._until(lambda: operation in self.ended)

    async def settle(self) -> None:
        """Wait until all that the server had sent by now is here."""
        before = self._pongs
        await self._send({"type": "ping"})
        await self._until(lambda: self._pongs > before)

    async def _until(self, condition: Any) -> None:
        async with self._news:
            while not condition():
                assert not self._reading.done(), self._reading
                await self._news.wait()

    async def _subscribe(self, operation: str, query: str, variables: dict[str, Any]) -> None:
        payload = {"query": query, "variables": variables}
        await self._send({"id": operation, "type": "subscribe", "payload": payload})

    async def _send(self, message: object) -> None:
        await self._connection.send(orjson.dumps(message).decode())

    async def _read(self) -> None:
        try:
            async for frame in self._connection:
                await self._take(orjson.loads(frame))
        finally:
            async with self._news:
                self._news.notify_all()

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "next":
                assert "errors" not in message["payload"], message
                (value,) = message["payload"]["data"].values()
                self.received[message["id"]].append(value)
            case "error":
                self.ended[message["id"]] = message["payload"]
            case "complete":
                self.ended.setdefault(message["id"], None)
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                self._pongs += 1
            case other:
                raise AssertionError(other)
        async with self._news:
            self._news.notify_all()
