"""`/graphql`: one address for HTTP, server-sent events, WebSocket and GraphiQL."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from sse_starlette import ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.types.graphql import OperationType

from app.encoding import encode_json
from app.graphiql.page import GraphiQLPage
from app.graphql import negotiation
from app.graphql.execution import Admitted, Execution, WrongOperationTypeError
from app.graphql.operations import Answer, Caller, RefusedError
from app.graphql.requests import read_operation
from app.graphql.websocket import Connection, SocketLimits
from app.limiting.limiter import Limiter, address_of
from app.metrics import Metrics
from app.requests import RequestError, retry_after
from app.sign_in import Authenticate, SignInError, viewer_of
from app.sse import end_of_stream, event_stream, message
from app.statuses import status_of
from windtunnel.domain.errors import ErrorCode, QuotaError, RateLimitedError

ALLOWED = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
STREAMED = {method: types | {OperationType.SUBSCRIPTION} for method, types in ALLOWED.items()}
OPERATIONS = {"query", "documentId", "extensions"}
"""A GET with one of these asks for an operation, not for the page."""
ANSWERS = (negotiation.JSON, negotiation.GRAPHQL, negotiation.EVENT_STREAM)

log = structlog.get_logger()


class GraphQLEndpoint:
    """The ASGI application at `/graphql`; `page` None switches GraphiQL off."""

    def __init__(
        self,
        execution: Execution,
        authenticate: Authenticate,
        page: GraphiQLPage | None,
        metrics: Metrics,
        *,
        limits: SocketLimits | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self._execution = execution
        self._authenticate = authenticate
        self._page = page
        self._metrics = metrics
        self._limits = limits or SocketLimits()
        self._limiter = limiter or Limiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or speak with one WebSocket to its end."""
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            with self._metrics.socket_open():
                await Connection(websocket, self._execution, self._authenticate, self._limits, self._limiter).run()
            return
        request = Request(scope, receive, send)
        try:
            response = await self._respond(request)
        except RequestError as error:
            response = _problem(request, error)
        except Exception:
            log.exception("defect", path="/graphql")
            response = _problem(request, RequestError(500, "Internal server error.", ErrorCode.INTERNAL))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ALLOWED:
            raise RequestError(405, "GraphQL is asked by POST or GET.", headers={"Allow": "GET, POST"})
        accept = request.headers.get("accept")
        if request.method == "GET" and negotiation.preferred(accept, (*ANSWERS, negotiation.HTML)) == negotiation.HTML:
            if self._page is not None:
                return self._page.respond(request)
            if not request.query_params.keys() & OPERATIONS:
                raise RequestError(404, "GraphiQL is switched off here.", ErrorCode.NOT_FOUND)
        media_type = negotiation.preferred(accept, ANSWERS)
        if media_type is None:
            raise RequestError(406, f"Answers are offered as {', '.join(ANSWERS)}.")
        return await self._answer(request, media_type)

    async def _answer(self, request: Request, media_type: str) -> Response:
        caller = await self._caller(request)
        operation = await read_operation(request)
        try:
            admitted = await self._execution.admit(operation, caller)
            if media_type == negotiation.EVENT_STREAM:
                return self._events(request, admitted)
            return _response(await self._execution.run(admitted, ALLOWED[request.method]), media_type)
        except RefusedError as refused:
            if media_type == negotiation.EVENT_STREAM and refused.answer.retry_after_s is None:
                return event_stream(_told(_one(refused.answer)))
            return _response(refused.answer, media_type)
        except WrongOperationTypeError as error:
            if error.operation_type is not OperationType.SUBSCRIPTION:
                raise RequestError(405, "A mutation must be sent by POST.", headers={"Allow": "POST"}) from error
            if not negotiation.accepts(request.headers.get("accept"), negotiation.EVENT_STREAM):
                reason = f"A subscription needs `Accept: {negotiation.EVENT_STREAM}` or a WebSocket."
                raise RequestError(406, reason) from error
            return self._events(request, admitted)

    async def _caller(self, request: Request) -> Caller:
        address = address_of(request)
        try:
            authorization = request.headers.get("authorization")
            viewer = await self._limiter.letting_in(
                authorization, address, lambda: viewer_of(self._authenticate, authorization)
            )
        except SignInError as error:
            raise RequestError(401, str(error), ErrorCode.UNAUTHENTICATED, {"WWW-Authenticate": "Bearer"}) from error
        except RateLimitedError as error:
            raise RequestError(429, error.message, error.code, retry_after(error.retry_after_s)) from error
        return Caller(viewer, request.state.request_id, account=self._limiter.account(viewer, address))

    def _events(self, request: Request, admitted: Admitted) -> Response:
        messages = _told(self._execution.stream(admitted, STREAMED[request.method]))
        viewer = admitted.caller.viewer
        if viewer is None:
            return event_stream(messages)
        try:
            self._limiter.connections.opened(viewer)
        except QuotaError as error:
            raise RequestError(429, error.message, error.code) from error
        return event_stream(messages, lambda: self._limiter.connections.closed(viewer))


async def _told(answers: AsyncGenerator[Answer, None]) -> AsyncGenerator[ServerSentEvent, None]:
    async with aclosing(answers):
        async for answer in answers:
            yield message(answer.body, event="next")
    yield end_of_stream()


async def _one(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer


def _response(answer: Answer, media_type: str) -> Response:
    if media_type == negotiation.EVENT_STREAM:
        media_type = negotiation.JSON
    return Response(
        encode_json(answer.body),
        status_code=_status(answer, media_type),
        headers=retry_after(answer.retry_after_s),
        media_type=f"{media_type}; charset=utf-8",
    )


def _status(answer: Answer, media_type: str) -> int:
    """Refused operations are 400 or worse; under `application/json` those that are only wrong are 200, by the book."""
    if not answer.refused:
        return 200
    status = status_of(ErrorCode(answer.errors[0]["extensions"]["code"]))
    return 200 if status == 400 and media_type == negotiation.JSON else status


def _problem(request: Request, error: RequestError) -> Response:
    """A GraphQL response for what never became an operation."""
    body = {"errors": [{"message": error.message, "extensions": {"code": error.code}}]}
    wanted = negotiation.preferred(request.headers.get("accept"), (negotiation.JSON, negotiation.GRAPHQL))
    return Response(
        encode_json(body),
        status_code=error.status,
        headers=error.headers,
        media_type=f"{wanted or negotiation.JSON}; charset=utf-8",
    )
