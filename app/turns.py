"""Who may upload traces, and whose are looked at next: nobody keeps others waiting for ever."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from windtunnel.domain.errors import RateLimitedError
from windtunnel.domain.policy import (
    CALIBRATIONS_AT_ONCE,
    TRACES_UPLOADS_AT_ONCE,
    TRACES_UPLOADS_AT_ONCE_PER_TENANT,
    TRACES_UPLOADS_AT_ONCE_PER_USER,
)
from windtunnel.domain.viewers import Viewer

_COME_AGAIN_S = 10


class Turns:
    """Bodies take memory and calibrations take processes; of each there are only so many at a time."""

    def __init__(self) -> None:
        self._of_tenant: Counter[str] = Counter()
        self._of_user: Counter[tuple[str, str]] = Counter()
        self._tenants: dict[str, asyncio.Lock] = {}
        self._processes = asyncio.Semaphore(CALIBRATIONS_AT_ONCE)

    @contextmanager
    def admitted(self, viewer: Viewer) -> Iterator[None]:
        """While the viewer uploads, and waits. Raises RateLimitedError when too many do."""
        tenant, user = viewer.tenant_id, (viewer.tenant_id, viewer.user.id)
        if (
            self._of_user[user] >= TRACES_UPLOADS_AT_ONCE_PER_USER
            or self._of_tenant[tenant] >= TRACES_UPLOADS_AT_ONCE_PER_TENANT
            or self._of_tenant.total() >= TRACES_UPLOADS_AT_ONCE
        ):
            raise RateLimitedError(
                f"Another calibration is under way; try again in {_COME_AGAIN_S} s.", retry_after_s=_COME_AGAIN_S
            )
        self._of_user[user] += 1
        self._of_tenant[tenant] += 1
        try:
            yield
        finally:
            self._of_user -= Counter([user])  # what is zero is dropped
            self._of_tenant -= Counter([tenant])
            if tenant not in self._of_tenant:
                self._tenants.pop(tenant, None)

    @asynccontextmanager
    async def turn(self, viewer: Viewer) -> AsyncIterator[None]:
        """One calibration of a tenant at a time, first come, first served; among tenants as well. While admitted."""
        async with self._tenants.setdefault(viewer.tenant_id, asyncio.Lock()), self._processes:
            yield
