"""Who may ask for how much, counted in one process or in all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app.settings import Settings
from windtunnel.domain.policy import SOCKETS_UNNAMED_PER_ADDRESS

if TYPE_CHECKING:
    from app.limiting.limiter import Limiter


@asynccontextmanager
async def opened_limiter(settings: Settings) -> AsyncIterator["Limiter"]:
    """Who may ask for how much: counted in this process, or with Redis by all processes together."""
    from app.limiting.buckets import Buckets
    from app.limiting.connections import Connections
    from app.limiting.limiter import Limiter, utc_now
    from app.limiting.shared import SharedBuckets

    most = settings.sockets_per_viewer
    connections = Connections(most, SOCKETS_UNNAMED_PER_ADDRESS if most else None)
    limit = settings.points_per_minute
    if limit is None:
        yield Limiter(None, connections=connections)
        return
    buckets = Buckets(limit)
    meter = SharedBuckets(settings.redis_url, buckets) if settings.redis_url else buckets
    try:
        yield Limiter(meter, now=lambda: utc_now() + settings.clock_offset, connections=connections)
    finally:
        await meter.close()
