"""The doors for telemetry: what a run would have sent, out; recorded traces, in."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from app.answers import answered, json_response, paying_session
from app.limiting.limiter import Limiter
from app.requests import RequestError, read_body
from app.sign_in.entrance import Entrance
from app.turns import Turns
from schema.arguments import aimed_at
from schema.ids import Kind, demand, encode
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import MUTATION_POINTS, TRACES_MATCHES_MAX, TRACES_MAX_BYTES
from windtunnel.operations.calibrate_architecture import calibrate_architecture
from windtunnel.operations.export_telemetry import telemetry_of
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services


class Telemetry:
    """The handlers."""

    def __init__(self, services: Services, entrance: Entrance, limiter: Limiter) -> None:
        self._services = services
        self._entrance = entrance
        self._limiter = limiter
        self._turns = Turns()

    async def read(self, request: Request) -> Response:
        """`GET /simulations/{id}/telemetry?signal=`: OTLP as JSON lines, or one signal as protobuf if that is asked."""
        return await answered(self._read, request)

    async def calibrate(self, request: Request) -> Response:
        """`POST /architectures/{id}/calibration?match=NAME=KEY`, OTLP traces in the body: 201 with what was fitted."""
        return await answered(self._calibrate, request)

    async def _read(self, request: Request) -> Response:
        from windtunnel.telemetry.export import Kind as Signal

        session = await paying_session(request, self._entrance, self._limiter, MUTATION_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        await permit(self._services, viewer, Action.WATCH_SIMULATION, aimed_at(request.path_params))
        raw = demand(Kind.SIMULATION, request.path_params["id"], ("id",))
        wanted = request.query_params.get("signal")
        if wanted is not None and wanted not in set(Signal):
            raise ValidationError("`signal` is one of traces, metrics and logs.", rule="enum", path=("signal",))
        kinds = [Signal(wanted)] if wanted else list(Signal)
        as_protobuf = "application/x-protobuf" in request.headers.get("accept", "")
        if as_protobuf and wanted is None:
            raise ValidationError("Say which `signal`: protobuf holds one.", rule="required", path=("signal",))
        _, exported = await telemetry_of(self._services, viewer.tenant_id, raw)
        if as_protobuf:
            message = await asyncio.to_thread(exported.protobuf, kinds[0])
            return _file(message, "application/x-protobuf", f"{wanted}.binpb")
        # Of a long run this takes a second: others are answered meanwhile.
        lines = b"".join([await asyncio.to_thread(exported.line, kind) for kind in kinds])
        return _file(lines, "application/x-ndjson", f"{wanted or 'telemetry'}.jsonl")

    async def _calibrate(self, request: Request) -> Response:
        from windtunnel.telemetry.reporting import as_data

        session = await paying_session(request, self._entrance, self._limiter, MUTATION_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        await permit(self._services, viewer, Action.CALIBRATE_ARCHITECTURE, aimed_at(request.path_params))
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "Send the body as it is, without a Content-Encoding; it may be a gzip file.")
        raw = demand(Kind.ARCHITECTURE, request.path_params["id"], ("id",))
        matches = _matches(request.query_params.getlist("match"))
        with self._turns.admitted(viewer):
            traces = await read_body(request, TRACES_MAX_BYTES)
            async with self._turns.turn(viewer):
                made, found = await calibrate_architecture(self._services, viewer, raw, traces, matches=matches)
        return json_response(
            {"architectureId": encode(Kind.ARCHITECTURE, made.id), "digest": made.digest, **as_data(found)}, 201
        )


def _matches(given: list[str]) -> dict[str, str]:
    if len(given) > TRACES_MATCHES_MAX:
        raise ValidationError(f"At most {TRACES_MATCHES_MAX} names can be matched.", rule="too_long", path=("match",))
    found = {}
    for pair in given:
        name, separator, key = pair.rpartition("=")
        if not (separator and name and key):
            raise ValidationError(
                "`match` is NAME=KEY: a name in the traces, and the key of an agent or tool.",
                rule="format",
                path=("match",),
            )
        found[name] = key
    return found


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, 200, headers, media_type)
