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
from app.graphql.answers import encode_answer
from app.graphql.execution import Admitted, Execution, WrongOperationTypeError
from app.graphql.operations import Answer, Caller, RefusedError
from app.graphql.requests import read_operation
from app.graphql.websocket import Connection, SocketLimits
from app.limiting.limiter import Limiter, address_of
from app.metrics import Metrics
from app.requests import RequestError, retry_after
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session, SignInError
from app.sign_in.watch import Watch, while_signed_in
from app.sse import end_of_stream, event_stream, json_message, message
from app.statuses import status_of
from windtunnel.domain.errors import ErrorCode, QuotaError, RateLimitedError, UnavailableError

ALLOWED = {
    "GET": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}
STREAMED = {method: types | {OperationType.SUBSCRIPTION} for method, types in ALLOWED.items()}
OPERATIONS = {"query", "documentId", "extensions"}
"""A GET with one of these asks for an operation, not for the page."""
CHALLENGE = {"WWW-Authenticate": "Bearer"}
ANSWERS = (negotiation.JSON, negotiation.GRAPHQL, negotiation.EVENT_STREAM)

UNAUTHENTICATED = status_of(ErrorCode.UNAUTHENTICATED)

log = structlog.get_logger()


class GraphQLEndpoint:
    """The ASGI application at `/graphql`; `page` None switches GraphiQL off."""

    def __init__(
        self,
        execution: Execution,
        entrance: Entrance,
        page: GraphiQLPage | None,
        metrics: Metrics,
        *,
        limits: SocketLimits | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self._execution = execution
        self._entrance = entrance
        self._page = page
        self._metrics = metrics
        self._limits = limits or SocketLimits()
        self._limiter = limiter or Limiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or speak with one WebSocket to its end."""
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            with self._metrics.socket_open():
                await Connection(websocket, self._execution, self._entrance, self._limits, self._limiter).run()
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
        try:
            await self._execution.charge(caller)
            admitted = self._execution.admit(await read_operation(request), caller)
            if media_type == negotiation.EVENT_STREAM:
                return await self._events(request, admitted)
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
            return await self._events(request, admitted)

    async def _caller(self, request: Request) -> Caller:
        address = address_of(request)
        try:
            authorization = request.headers.get("authorization")
            session = await self._limiter.letting_in(
                authorization, address, lambda: self._entrance.session_of(authorization)
            )
        except SignInError as error:
            raise RequestError(UNAUTHENTICATED, str(error), ErrorCode.UNAUTHENTICATED, CHALLENGE) from error
        except RateLimitedError as error:
            headers = retry_after(error.retry_after_s)
            raise RequestError(status_of(error.code), error.message, error.code, headers) from error
        except UnavailableError as error:
            raise RequestError(status_of(error.code), error.message, error.code) from error
        account = self._limiter.account(session.viewer if session else None, address)
        return Caller(session, request.state.request_id, account=account)

    async def _events(self, request: Request, admitted: Admitted) -> Response:
        answers = self._execution.stream(admitted, STREAMED[request.method])
        session = admitted.caller.session
        if session is None:
            return await _events_for_strangers(answers)
        viewer = session.viewer
        try:
            self._limiter.connections.opened(viewer)
        except QuotaError as error:
            raise RequestError(status_of(error.code), error.message, error.code) from error
        messages = _told_while_signed_in(answers, self._entrance.watch, session)
        return event_stream(messages, lambda: self._limiter.connections.closed(viewer))


async def _events_for_strangers(answers: AsyncGenerator[Answer, None]) -> Response:
    """What they may ask is answered at once, so that a refusal can still be told by the status."""
    first = await anext(answers, None)
    if first is not None and _lacks_sign_in(first):
        await answers.aclose()
        return _response(first, negotiation.JSON)
    return event_stream(_told(_after(first, answers)))


async def _told_while_signed_in(
    answers: AsyncGenerator[Answer, None], watch: Watch, session: Session
) -> AsyncGenerator[ServerSentEvent, None]:
    async with aclosing(answers), aclosing(while_signed_in(watch, session, answers)) as lasting:
        try:
            async for answer in lasting:
                yield json_message(encode_answer(answer.body), event="next")
        except SignInError as error:
            yield message(_errors(str(error), ErrorCode.UNAUTHENTICATED), event="next")
    yield end_of_stream()


async def _told(answers: AsyncGenerator[Answer, None]) -> AsyncGenerator[ServerSentEvent, None]:
    async with aclosing(answers):
        async for answer in answers:
            yield json_message(encode_answer(answer.body), event="next")
    yield end_of_stream()


async def _one(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer


async def _after(first: Answer | None, others: AsyncGenerator[Answer, None]) -> AsyncGenerator[Answer, None]:
    async with aclosing(others):
        if first is not None:
            yield first
        async for answer in others:
            yield answer


def _response(answer: Answer, media_type: str) -> Response:
    if media_type == negotiation.EVENT_STREAM:
        media_type = negotiation.JSON
    return Response(
        encode_answer(answer.body),
        status_code=_status(answer, media_type),
        headers=CHALLENGE if _lacks_sign_in(answer) else retry_after(answer.retry_after_s),
        media_type=f"{media_type}; charset=utf-8",
    )


def _status(answer: Answer, media_type: str) -> int:
    """Refused operations are 400 or worse; under `application/json` those that are only wrong are 200, by the book."""
    if _lacks_sign_in(answer):
        return UNAUTHENTICATED
    if not answer.refused:
        return 200
    status = status_of(ErrorCode(answer.errors[0]["extensions"]["code"]))
    return 200 if status == 400 and media_type == negotiation.JSON else status


def _lacks_sign_in(answer: Answer) -> bool:
    return any(error["extensions"]["code"] == ErrorCode.UNAUTHENTICATED for error in answer.errors)


def _errors(message: str, code: ErrorCode) -> dict[str, object]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def _problem(request: Request, error: RequestError) -> Response:
    """A GraphQL response for what never became an operation."""
    wanted = negotiation.preferred(request.headers.get("accept"), (negotiation.JSON, negotiation.GRAPHQL))
    return Response(
        encode_json(_errors(error.message, error.code)),
        status_code=error.status,
        headers=error.headers,
        media_type=f"{wanted or negotiation.JSON}; charset=utf-8",
    )
