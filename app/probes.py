"""Is it alive, is it ready, what does it count."""

from contextlib import suppress
from hmac import compare_digest
from ipaddress import ip_address
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from app.answers import error_response, json_response
from app.metrics import Metrics
from windtunnel.domain.durations import format_duration
from windtunnel.domain.errors import ErrorCode, WindtunnelError
from windtunnel.operations.services import Services
from windtunnel.storage.migrations import is_current
from windtunnel.storage.pipeline_tallies import tally_pipeline
from windtunnel.storage.tallies import tally, tally_rollbacks

TALLY_EVERY_S = 5.0
PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that a proxy adds."""


class Probes:
    """The handlers of `/healthz`, `/readyz` and `/metrics`: never limited. The first two are open to everyone.

    The metrics count over all tenants, which is none of theirs: they are for whoever has `metrics_token`, or, while
    there is no such token, for this machine.
    """

    def __init__(self, services: Services, metrics: Metrics, metrics_token: str | None = None) -> None:
        self._services = services
        self._metrics = metrics
        self._metrics_token = metrics_token
        self._tally_again_at = 0.0

    async def health(self, request: Request) -> Response:
        """`GET /healthz`: the process answers."""
        del request
        return json_response({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """`GET /readyz`: 503 without a database; without the bus all works, only slower. A shifted clock is shown."""
        del request
        database, bus_is_up = await self._database(), self._services.bus.up
        ready = database == "up"
        answer = {
            "status": ("ready" if bus_is_up else "degraded") if ready else "not ready",
            "database": database,
            "bus": "up" if bus_is_up else "down",
        }
        if offset := self._services.store.clock_offset:
            answer["clockOffset"] = format_duration(offset)
        return json_response(answer, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics`: Prometheus' text format; what the database tells is read anew after TALLY_EVERY_S."""
        if not self._is_operator(request):
            message = "The metrics are for the operator: see WINDTUNNEL_METRICS_TOKEN."
            return error_response(ErrorCode.UNAUTHENTICATED, message, 401, {"WWW-Authenticate": "Bearer"})
        if monotonic() >= self._tally_again_at:
            with suppress(WindtunnelError):  # the rest is worth reading all the more
                self._metrics.count_simulations(await tally(self._services.store))
                self._metrics.count_rollbacks(await tally_rollbacks(self._services.store))
                self._metrics.count_pipeline(await tally_pipeline(self._services.store))
                self._tally_again_at = monotonic() + TALLY_EVERY_S
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _is_operator(self, request: Request) -> bool:
        if self._metrics_token is None:
            return _comes_from_here(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), self._metrics_token.encode())

    async def _database(self) -> str:
        try:
            return "up" if await is_current(self._services.store) else "not migrated"
        except WindtunnelError:
            return "down"


def _comes_from_here(request: Request) -> bool:
    """Whether this machine asks, for itself: what a proxy passes on comes from somebody else."""
    if request.client is None or any(name in request.headers for name in PASSED_ON):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
