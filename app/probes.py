"""Is it alive, is it ready, what does it count."""

from contextlib import suppress
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from app.answers import json_response
from app.metrics import Metrics
from windtunnel.domain.durations import format_duration
from windtunnel.domain.errors import WindtunnelError
from windtunnel.operations.services import Services
from windtunnel.storage.migrations import is_current
from windtunnel.storage.tallies import tally

TALLY_EVERY_S = 5.0


class Probes:
    """The handlers of `/healthz`, `/readyz` and `/metrics`: never limited, open to everyone who reaches them."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self._services = services
        self._metrics = metrics
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
        del request
        if monotonic() >= self._tally_again_at:
            with suppress(WindtunnelError):  # the rest is worth reading all the more
                self._metrics.count_simulations(await tally(self._services.store))
                self._tally_again_at = monotonic() + TALLY_EVERY_S
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _database(self) -> str:
        try:
            return "up" if await is_current(self._services.store) else "not migrated"
        except WindtunnelError:
            return "down"
