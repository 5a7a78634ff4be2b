"""The graphql-transport-ws protocol: one connection, many operations, none of which can harm another."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from app.graphql.answers import encode_answer
from app.graphql.execution import Execution
from app.graphql.messages import CloseError, error_of, id_of, message_of, next_of, payload_of
from app.graphql.operations import Caller, Operation, RefusedError
from app.graphql.pace import Pace
from app.graphql.requests import operation_of
from app.graphql.wire import SlowClientError, Wire
from app.limiting.limiter import Account, Limiter, address_of
from app.requests import RequestError
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session, SignInError, authorization_in
from windtunnel.domain.errors import ErrorCode, QuotaError, RateLimitedError, UnavailableError
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import SOCKET_MESSAGES_PER_MINUTE

SUBPROTOCOL = "graphql-transport-ws"


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one connection may ask of the server; times in seconds."""

    init_timeout: float = 10.0
    send_timeout: float = 30.0
    operations: int = 100
    messages_per_minute: int = SOCKET_MESSAGES_PER_MINUTE


class Connection:
    """One WebSocket from its handshake to its end; `run` returns when nothing of it is left."""

    def __init__(
        self,
        websocket: WebSocket,
        execution: Execution,
        entrance: Entrance,
        limits: SocketLimits,
        limiter: Limiter,
    ) -> None:
        self._websocket = websocket
        self._wire = Wire(websocket, limits.send_timeout)
        self._execution = execution
        self._entrance = entrance
        self._limits = limits
        self._limiter = limiter
        self._address = address_of(websocket)
        self._pace = Pace(limits.messages_per_minute)
        self._is_unnamed = False
        self._params: dict[str, Any] | None = None
        self._session: Session | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Speak the protocol until either side ends it."""
        if SUBPROTOCOL not in self._websocket.scope.get("subprotocols", ()):
            await self._websocket.accept()
            await self._websocket.close(4406, f"Subprotocol not acceptable: use {SUBPROTOCOL}")
            return
        await self._websocket.accept(SUBPROTOCOL)
        try:
            self._limiter.connections.came(self._address)
        except QuotaError as error:
            await self._websocket.close(4429, f"Too many connections: {error.message}")
            return
        self._is_unnamed = True
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    await self._read(group)
                except CloseError as closing:
                    self._stop()  # nothing is sent after the close frame
                    await self._wire.close(closing)
                finally:
                    self._stop()
        except* SlowClientError:
            self._wire.cut()
        except* (WebSocketDisconnect, WebSocketDisconnected):
            pass
        finally:
            self._named()
            if self._session is not None:
                self._limiter.connections.closed(self._session.viewer)

    def _named(self) -> None:
        if self._is_unnamed:
            self._is_unnamed = False
            self._limiter.connections.named(self._address)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """Handle messages until the client leaves (WebSocketDisconnect) or breaks the protocol (CloseError)."""
        try:
            async with asyncio.timeout(self._limits.init_timeout) as waiting:
                while self._session is None:
                    await self._handle(await self._receive(), group)
        except TimeoutError:
            if waiting.expired():
                raise CloseError(4408, "Connection initialisation timeout") from None
            raise
        try:
            async with self._entrance.watch.lasting(self._session):
                while True:
                    await self._handle(await self._receive(), group)
        except SignInError as error:
            raise CloseError(4401, f"Unauthorized: {error}") from None

    async def _receive(self) -> dict[str, Any]:
        text = await self._wire.receive()
        await self._keep_pace(len(text))
        return message_of(text)

    async def _keep_pace(self, characters: int) -> None:
        if price := self._pace.price(characters):
            try:
                await self._account().pay(price)
            except RateLimitedError as error:
                raise CloseError(4429, f"Too many messages: try again in {error.retry_after_s} s") from None

    def _account(self) -> Account:
        return self._limiter.account(self._session.viewer if self._session else None, self._address)

    async def _handle(self, message: dict[str, Any], group: asyncio.TaskGroup) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(payload_of(message))
            case "ping":
                await self._pong(message)
            case "pong":
                payload_of(message)
            case "subscribe":
                await self._subscribe(id_of(message), message, group)
            case "complete":
                if task := self._operations.pop(id_of(message), None):
                    task.cancel()
            case _:
                raise CloseError(4400, "Invalid message: unknown type")

    async def _initialise(self, payload: dict[str, Any] | None) -> None:
        if self._params is not None:
            raise CloseError(4429, "Too many initialisation requests")
        params = payload or {}
        given = authorization_in(params)
        authorization = self._websocket.headers.get("authorization") if given is None else given
        try:
            session = await self._limiter.letting_in(
                authorization, self._address, lambda: self._entrance.session_of(authorization)
            )
        except SignInError as error:
            raise CloseError(4401, f"Unauthorized: {error}") from None
        except RateLimitedError as error:
            raise CloseError(4429, f"Too many refused sign-ins: try again in {error.retry_after_s} s") from None
        except UnavailableError:
            raise CloseError(1013, "Try again later") from None
        if session is None:
            raise CloseError(4401, "Unauthorized: send a token as `authorization` in connection_init's payload.")
        try:
            self._limiter.connections.opened(session.viewer)
        except QuotaError as error:
            raise CloseError(4429, f"Too many connections: {error.message}") from None
        self._named()
        self._session = session
        self._params = params
        await self._wire.send({"type": "connection_ack"})

    async def _pong(self, ping: dict[str, Any]) -> None:
        payload = payload_of(ping)
        await self._wire.send({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})

    async def _subscribe(self, id_: str, message: dict[str, Any], group: asyncio.TaskGroup) -> None:
        if self._params is None:
            raise CloseError(4401, "Unauthorized: connection_init comes first.")
        if id_ in self._operations:
            raise CloseError(4409, f"Subscriber for {id_[:40]} already exists")
        try:
            operation = operation_of(payload_of(message) or {})
        except RequestError as error:
            raise CloseError(4400, f"Invalid message: {error.message}") from None
        if len(self._operations) >= self._limits.operations:
            problem = {
                "message": f"A connection runs at most {self._limits.operations} operations at a time.",
                "extensions": {"code": ErrorCode.LIMIT_EXCEEDED},
            }
            await self._wire.send({"type": "error", "payload": [problem], "id": id_})
            return
        while len(self._tasks) >= self._limits.operations:  # some were completed by the client and still clean up
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = group.create_task(self._operate(id_, operation, self._params))
        task.add_done_callback(self._tasks.discard)
        self._tasks.add(task)
        self._operations[id_] = task

    async def _operate(self, id_: str, operation: Operation, params: dict[str, Any]) -> None:
        """Send every answer, then `complete`; or one `error`, after which the id is free again."""
        caller = Caller(self._session, new_id(), params, self._account())
        last: dict[str, Any] = {"type": "complete", "id": id_}
        with (
            structlog.contextvars.bound_contextvars(request_id=caller.request_id),
            contextlib.suppress(WebSocketDisconnect, WebSocketDisconnected),
        ):
            try:
                await self._execution.charge(caller)
                admitted = self._execution.admit(operation, caller)
                async with contextlib.aclosing(self._execution.stream(admitted)) as answers:
                    async for answer in answers:
                        if answer.refused:
                            last = error_of(id_, answer)
                            break
                        await self._wire.send_encoded(encode_answer(answer.body, partial(next_of, id_)))
            except RefusedError as refused:
                last = error_of(id_, refused.answer)
            if self._operations.get(id_) is asyncio.current_task():
                del self._operations[id_]
                await self._wire.send(last)
