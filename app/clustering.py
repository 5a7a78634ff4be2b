"""Where the many replications of experiments are done: by processes here, or by a Dask cluster as well."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

from app.settings import Settings, SettingsError
from windtunnel.experiments.cluster import Cluster, ClusterError, UnfitClusterError
from windtunnel.experiments.cluster_crew import ClusterCrew
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.crew import Crew
from windtunnel.experiments.hand import end_with_parent
from windtunnel.experiments.measures import Measures
from windtunnel.experiments.study import Chunk, Study
from windtunnel.simulation.engine import prepare_kernel

POOL_ABOVE_TASKS = 200_000
"""Below so many tasks, starting processes takes longer than the work."""


def crew_of(settings: Settings) -> Crew:
    """The crew that the settings choose, to be closed in the end. Raises SettingsError."""
    if settings.dask_scheduler is None:
        return Crew()
    if find_spec("distributed") is None:
        raise SettingsError("WINDTUNNEL_DASK_SCHEDULER needs the extra `cluster`: pip install 'windtunnel[cluster]'.")
    return ClusterCrew(settings.dask_scheduler)


def conducted(study: Study, scheduler: str | None, warn: Callable[[str], None]) -> list[Measures]:
    """The measures of each side of a study: by the cluster, if there is one; what it does not do is done here.

    `warn` is told why a cluster was not used to the end. Raises UnfitClusterError: it needs mending.
    """
    done: dict[Chunk, Measures] = {}
    if scheduler is not None:
        try:
            with Cluster(scheduler) as cluster:
                return conduct(study, cluster, done=done)
        except UnfitClusterError:
            raise
        except ClusterError as error:
            warn(f"{error} What is left is done here.")
    work = sum(chunk.count for chunk in study.chunks if chunk not in done) * study.load.tasks
    processes = os.cpu_count() or 1
    if work < POOL_ABOVE_TASKS or processes == 1:
        return conduct(study, done=done)
    # A process with threads, which a cluster has left behind, must not be forked.
    context = get_context(None if scheduler is None else "spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=begin) as pool:
        try:
            return conduct(study, pool, done=done)
        except BaseException:
            _end(pool)
            raise


def begin() -> None:
    """In a process of the pool, before anything else: it ends with the one that started it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is a matter of who started it
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    prepare_kernel()


def _end(pool: ProcessPoolExecutor) -> None:
    """End its processes at once, whatever they do."""
    told, threading.excepthook = threading.excepthook, lambda _: None  # its thread stumbles over what was cancelled
    try:
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - it has no other way to end now
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
    finally:
        threading.excepthook = told
