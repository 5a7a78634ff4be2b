"""The REST doors: start a simulation, and follow its events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from sse_starlette import ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from app.answers import answered, json_response, paying_session
from app.encoding import decode_json
from app.graphql.cost import ENTRY_POINTS
from app.limiting.limiter import Limiter
from app.metrics import Metrics
from app.requests import json_body
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session, SignInError
from app.sign_in.watch import while_signed_in
from app.sse import event_stream, message
from resolvers import architectures
from resolvers.architectures import GraphFormat
from schema.arguments import aimed_at
from schema.ids import Kind, demand, encode
from schema.scalars import write_datetime
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError, ValidationError, WindtunnelError
from windtunnel.domain.events import SimulationEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import MUTATION_POINTS
from windtunnel.domain.simulations import SimulationStage
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.operations.simulate import SimulateRequest, simulate
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.storage import architectures as stored_architectures
from windtunnel.storage import simulations as stored_simulations


class Rest:
    """The handlers; expected failures become `{"error": {"code", "message"}}` with the code's status."""

    def __init__(self, services: Services, entrance: Entrance, metrics: Metrics, limiter: Limiter) -> None:
        self._services = services
        self._entrance = entrance
        self._metrics = metrics
        self._limiter = limiter

    async def simulate(self, request: Request) -> Response:
        """`POST /simulate` `{"scenario": "...", "seed": 1}`."""
        return await answered(self._simulate, request)

    async def events(self, request: Request) -> Response:
        """`GET /simulations/{id}/events?after=`: the events as server-sent events, `id` being the `seq`."""
        return await answered(self._events, request)

    async def _simulate(self, request: Request) -> Response:
        session = await paying_session(request, self._entrance, self._limiter, MUTATION_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        asked = _simulate_request(await json_body(request))
        simulation = await simulate(self._services, viewer, asked)
        if simulation.architecture_id is None:
            raise ConflictError("The simulation was cancelled before it was planned.", current=simulation.status)
        found = await stored_architectures.get_many(
            self._services.store, viewer.tenant_id, [simulation.architecture_id]
        )
        stored = found[simulation.architecture_id]
        id_ = encode(Kind.SIMULATION, simulation.id)
        return json_response(
            {
                "simulationId": id_,
                "architecture": decode_json(architectures.render(stored.architecture, GraphFormat.JSON)),
                "eventsUrl": str(request.url_for("events", id=id_).replace(scheme=request.url.scheme)),
            }
        )

    async def _events(self, request: Request) -> Response:
        session = await paying_session(request, self._entrance, self._limiter, ENTRY_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        await permit(self._services, viewer, Action.WATCH_SIMULATION, aimed_at(request.path_params))
        after = _sequence_number(request.headers.get("last-event-id") or request.query_params.get("after") or "0")
        raw = demand(Kind.SIMULATION, request.path_params["id"], ("id",))
        async with place_of(self._services, viewer.tenant_id, raw) as place:
            simulation = await stored_simulations.get(place.store, viewer.tenant_id, raw) if place else None
        if simulation is None:
            raise NotFoundError("There is no simulation with this id.", path=("id",))
        if simulation.is_over and after >= simulation.last_seq:
            return Response(status_code=204)  # tells an EventSource not to come again
        self._limiter.connections.opened(viewer)
        stream = self._stream(session, watch_simulation(self._services, viewer, raw, after))
        return event_stream(stream, lambda: self._limiter.connections.closed(viewer))

    async def _stream(
        self, session: Session, events: AsyncGenerator[SimulationEvent, None]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        with self._metrics.rest_stream_open():
            lasting = while_signed_in(self._entrance.watch, session, events)
            try:
                async with aclosing(events), aclosing(lasting):
                    async for event in lasting:
                        yield message(event_fields(event), id=str(event.seq))
            except WindtunnelError as error:
                yield message({"code": error.code, "message": error.message}, event="error")
            except SignInError as error:
                yield message({"code": ErrorCode.UNAUTHENTICATED, "message": str(error)}, event="error")


def event_fields(event: SimulationEvent) -> dict[str, Any]:
    """An event as JSON, with the names that it has in GraphQL."""
    body = {_camel(key): value for key, value in event.body.items() if key != "architecture_id"}
    if "architecture_id" in event.body:
        body["architectureId"] = encode(Kind.ARCHITECTURE, event.body["architecture_id"])
    return {
        "simulationId": encode(Kind.SIMULATION, event.simulation_id),
        "seq": event.seq,
        "kind": event.kind,
        "at": write_datetime(event.at),
        "elapsedMs": event.elapsed_ms,
        "agentKey": event.agent_key,
        "message": event.message,
        **body,
    }


def _simulate_request(body: Any) -> SimulateRequest:
    if not isinstance(body, dict):
        raise ValidationError("Send a JSON object with a `scenario`.", rule="object_type")
    scenario, seed = body.get("scenario"), body.get("seed")
    if not isinstance(scenario, str):
        raise ValidationError("`scenario` must be a string: the scenario in words.", rule="string_type")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise ValidationError("`seed` must be a whole number.", rule="int_type")
    return SimulateRequest(text=scenario, seed=seed, wait_for=SimulationStage.PLANNED)


def _sequence_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise ValidationError("`after` must be the sequence number of an event, or 0.", rule="int_parsing")
    return int(text)


def _camel(word: str) -> str:
    head, *tail = word.split("_")
    return head + "".join(part.capitalize() for part in tail)
