"""A crew that has its parts done by a Dask cluster as long as there is one, and by its own processes else."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from windtunnel.experiments.cluster import Cluster, ClusterError
from windtunnel.experiments.crew import Crew

T = TypeVar("T")

AGAIN_AFTER_S = 30.0

log = structlog.get_logger()


class ClusterCrew(Crew):
    """A crew beside the Dask scheduler at `address`, which is joined when first needed. To be closed in the end.

    While it cannot be reached, everything is done here, as without it; it is tried again from time to time.
    """

    def __init__(self, address: str, width: int | None = None) -> None:
        super().__init__(width)
        self._address = address
        self._cluster: Cluster | None = None
        self._joining: asyncio.Task[None] | None = None
        self._again_at = 0.0

    @property
    def width(self) -> int:
        """As of the cluster, when there is one."""
        return super().width if self._cluster is None else self._cluster.width

    async def anywhere(self, function: Callable[..., T], *arguments: object) -> T:
        """On the cluster; here, when it is not there, or is lost on the way. Raises CrewError."""
        cluster = await self._joined()
        if cluster is not None:
            try:
                return await asyncio.wrap_future(cluster.submit(function, *arguments))
            except ClusterError as error:
                self._leave(cluster, error)
        return await self.run(function, *arguments)

    def close(self) -> None:
        """Leave the cluster, and end the processes; both are there again for whoever asks afterwards."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.shutdown()
        super().close()

    async def _joined(self) -> Cluster | None:
        if self._cluster is None and time.monotonic() >= self._again_at:
            if self._joining is None:
                self._joining = asyncio.create_task(self._join(), name="joining a cluster")
            # Whoever is cancelled meanwhile leaves it to the others.
            await asyncio.shield(self._joining)
        return self._cluster

    async def _join(self) -> None:
        try:
            self._cluster = await asyncio.to_thread(Cluster, self._address)
        except ClusterError as error:
            self._alone(error)
        finally:
            self._joining = None

    def _leave(self, cluster: Cluster, error: ClusterError) -> None:
        if self._cluster is cluster:
            self._cluster = None
            cluster.shutdown(wait=False)
            self._alone(error)

    def _alone(self, error: ClusterError) -> None:
        self._again_at = time.monotonic() + AGAIN_AFTER_S
        log.warning("the cluster is not used: experiments are done here", reason=str(error))
