"""The application: every route, and what stands before them."""

from collections.abc import Sequence
from typing import cast

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answers import error_response
from app.graphiql.page import ASSETS_PATH, GraphiQLPage
from app.graphql.endpoint import GraphQLEndpoint
from app.graphql.execution import Execution
from app.graphql.operations import Caller
from app.graphql.trusted import TrustedDocuments
from app.guards import Guards
from app.limiting.limiter import Limiter
from app.metrics import Metrics
from app.packages import Packages
from app.probes import Probes
from app.rest import Rest
from app.sign_in.entrance import Entrance
from app.telemetry import Telemetry
from resolvers.context import Context
from windtunnel.domain.allowances import Bill
from windtunnel.domain.errors import ErrorCode
from windtunnel.operations.services import Services


def build_app(
    services: Services,
    schema: strawberry.Schema,
    entrance: Entrance,
    metrics: Metrics,
    *,
    loopback_only: bool,
    allowed_origins: Sequence[str] = (),
    graphiql: bool = True,
    limiter: Limiter | None = None,
    documents: TrustedDocuments | None = None,
    metrics_token: str | None = None,
) -> Starlette:
    """The ASGI application; `schema` must run with `operation_guard(metrics)` among its extensions.

    `loopback_only` (dev sign-in) refuses requests that ask for this server by another name than localhost's;
    pages of `allowed_origins` may use the API from browsers, as those of its own origin may. Without a `limiter`
    nobody pays. `metrics_token` is what `/metrics` asks for.
    """
    limiter = limiter or Limiter()

    def context(caller: Caller) -> Context:
        return Context(services, caller.viewer, caller.request_id, caller.connection_params, caller.account or Bill())

    page = GraphiQLPage()
    execution = Execution(schema, context, documents)
    graphql = GraphQLEndpoint(execution, entrance, page if graphiql else None, metrics, limiter=limiter)
    metrics.watch(services.hub.statistics, lambda: services.bus.up)
    rest = Rest(services, entrance, metrics, limiter)
    packages = Packages(services, entrance, limiter)
    telemetry = Telemetry(services, entrance, limiter)
    probes = Probes(services, metrics, metrics_token)
    routes = [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        Route("/simulate", rest.simulate, methods=["POST"]),
        Route("/simulations/{id}/events", rest.events, methods=["GET"], name="events"),
        Route("/simulations/{id}/telemetry", telemetry.read, methods=["GET"]),
        Route("/architectures/{id}/calibration", telemetry.calibrate, methods=["POST"]),
        Route("/packages", packages.upload, methods=["PUT"]),
        Route("/packages/{digest}/signature", packages.sign, methods=["PUT"]),
        Route("/healthz", probes.health, methods=["GET"]),
        Route("/readyz", probes.ready, methods=["GET"]),
        Route("/metrics", probes.metrics, methods=["GET"]),
    ]
    if graphiql:
        routes.append(Route(ASSETS_PATH + "/{name}", page.asset, methods=["GET"]))
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_Counting, metrics=metrics),
            Middleware(Guards, loopback_only=loopback_only, allowed_origins=allowed_origins, graphiql=graphiql),
            *_cross_origin(allowed_origins),
        ],
        exception_handlers={HTTPException: _http_error},
    )


def _cross_origin(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-Id"],
            expose_headers=["Retry-After", "X-Request-Id"],
        )
    ]


class _Counting:
    """Counts answers by route, method and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at the answer's first message."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in {"GET", "POST", "PUT"} else "other"
                self._metrics.answered(route, method, message["status"])
            await send(message)

        await self._app(scope, receive, counted)


async def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in our shape."""
    refusal = cast("HTTPException", error)
    code = ErrorCode.NOT_FOUND if refusal.status_code == 404 else ErrorCode.BAD_USER_INPUT
    message = f"There is no {request.url.path}." if refusal.status_code == 404 else refusal.detail
    return error_response(code, message, refusal.status_code, dict(refusal.headers or {}))
