"""A Dask cluster as an executor: whoever gave it work hears within seconds that nobody will do it (extra `cluster`)."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread
from typing import Any, ParamSpec, TypeVar

from windtunnel.experiments.crew import CrewError
from windtunnel.experiments.elsewhere import OtherVersionError, do_elsewhere, version

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_S = 5.0
ANSWER_S = 10.0
"""A scheduler that takes longer to answer has hung."""
NOBODY_S = 10.0
"""A cluster may be without workers for so long."""
STALLED_S = 120.0
"""Nothing that was begun is finished for so long: a part takes a second, seldom half a minute."""
LOOK_EVERY_S = 1.0
CLOSE_S = 2.0


class ClusterError(Exception):
    """The cluster cannot be reached, or was lost; the message says why."""


class UnfitClusterError(ClusterError):
    """The cluster is there, and does not understand what it is given; that stays so until somebody mends it."""


class Cluster(Executor):
    """The workers of the Dask scheduler at `address`. What they are given must come from modules, not from `__main__`.

    A worker that dies is no matter: its work goes to another. Once work ends with a ClusterError, all other work does,
    too, and whatever is given afterwards: make a new one. Raises ClusterError.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = _connected(address)
        self._inner = self._client.get_executor(pure=False)
        self._lock = Lock()
        self._under_way: dict[Future[Any], Future[Any]] = {}
        self._error: ClusterError | None = None
        self._over = Event()
        self._threads = 0
        self._moved_at = self._manned_at = time.monotonic()
        self._watch = Thread(target=self._look_after, name="cluster", daemon=True)
        if trouble := self._trouble():
            self._end(ClusterError(trouble))
        self._watch.start()

    @property
    def over(self) -> bool:
        """Whether all work from now on ends with a ClusterError."""
        return self._over.is_set()

    @property
    def width(self) -> int:
        """How many pieces of work keep all of its workers busy, as far as is known."""
        return max(1, self._threads * 2)  # one under way and one at hand

    def submit(self, function: Callable[P, T], /, *arguments: P.args, **more: P.kwargs) -> Future[T]:
        """Have it done by some worker. Its future may end with ClusterError; CrewError: the function failed."""
        future: Future[T] = Future()
        with self._lock:
            if self._error is not None:
                future.set_exception(self._error)
                return future
            if not self._under_way:
                self._moved_at = self._manned_at = time.monotonic()
            try:
                inner = self._inner.submit(do_elsewhere, version(), partial(function, **more), arguments)
            except Exception as error:  # noqa: BLE001 (whatever cannot be sent, for whatever reason)
                future.set_exception(UnfitClusterError(self._unfit(error)))
                return future
            self._under_way[future] = inner
        future.add_done_callback(self._forget)
        inner.add_done_callback(partial(self._settle, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; what is under way ends with a ClusterError."""
        self._end(ClusterError(f"The cluster at {self._address} was left."))
        if wait:
            self._watch.join(CLOSE_S * 2)

    def _forget(self, future: Future[Any]) -> None:
        """Of no use to anybody any more, when it was cancelled."""
        with self._lock:
            inner = self._under_way.pop(future, None)
        if inner is not None:
            inner.cancel()

    def _settle(self, future: Future[Any], inner: Future[Any]) -> None:
        """A piece of work came to its end on the cluster."""
        error = None if inner.cancelled() else inner.exception()
        if inner.cancelled() or not (error is None or isinstance(error, CrewError)):
            self._end(self._meaning(error))
            return
        with self._lock:
            mine = self._under_way.pop(future, None) is not None
            self._moved_at = time.monotonic()
        if mine and future.set_running_or_notify_cancel():
            if error is None:
                future.set_result(inner.result())
            else:
                future.set_exception(error)

    def _meaning(self, error: BaseException | None) -> ClusterError:
        from distributed import KilledWorker

        if error is None or isinstance(error, OSError):
            return ClusterError(f"The connection to the scheduler at {self._address} was lost.")
        if isinstance(error, KilledWorker):
            return ClusterError(f"Workers of {self._address} came to a sudden end, again and again.")
        return UnfitClusterError(self._unfit(error))

    def _unfit(self, error: BaseException) -> str:
        said = str(error) if isinstance(error, OtherVersionError) else f"{type(error).__name__}: {error}"
        return (
            f"The cluster at {self._address} cannot do this work: {' '.join(said.split())}; "
            "scheduler and workers need the same windtunnel, Python and distributed as here."
        )

    def _end(self, error: ClusterError) -> None:
        with self._lock:
            if self._error is None:
                self._error = error
            left, self._under_way = list(self._under_way), {}
        self._over.set()
        for future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _look_after(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if self._under_way and (trouble := self._trouble()):
                self._end(ClusterError(trouble))
        with suppress(Exception):  # it may be gone
            self._client.close(timeout=CLOSE_S)

    def _trouble(self) -> str | None:
        lost = f"The connection to the scheduler at {self._address} was lost."
        if self._client.status != "running":
            return lost
        try:
            threads = self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER_S)
        except TimeoutError:
            return f"The scheduler at {self._address} does not answer."
        except Exception:  # noqa: BLE001 (its connections break in many ways)
            return lost
        now = time.monotonic()
        if threads:
            self._threads, self._manned_at = sum(threads.values()), now
        if now - self._manned_at > NOBODY_S:
            return f"The scheduler at {self._address} has no workers."
        if now - self._moved_at > STALLED_S:
            return f"The workers of {self._address} have finished nothing for {STALLED_S:.0f} seconds."
        return None


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UnfitClusterError(
            f"A Dask cluster needs the extra `cluster` ({error}): pip install 'windtunnel[cluster]'."
        ) from None
    # What it would say of lost connections is said by whoever uses them.
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    made: Future[Any] = Future()
    Thread(target=_connect, args=(partial(Client, address), made), name="joining a cluster", daemon=True).start()
    try:
        return made.result(CONNECT_S * 2)
    except TimeoutError:
        reason = "it takes too long"
    except Exception as error:  # noqa: BLE001 (whatever is at that address)
        reason = " ".join(str(error).split()) or type(error).__name__
    if not made.cancel() and made.exception() is None:  # just now
        return made.result()
    raise ClusterError(f"No Dask scheduler answers at {address}: {reason.rstrip('.')}.")


def _connect(client: Callable[..., Any], made: Future[Any]) -> None:
    """Its own time limit does not hold when the scheduler has hung: nobody waits for that."""
    try:
        connected = client(timeout=CONNECT_S, set_as_default=False, asynchronous=False)
    except BaseException as error:  # noqa: BLE001 (told to whoever waits)
        if made.set_running_or_notify_cancel():
            made.set_exception(error)
        return
    if made.set_running_or_notify_cancel():
        made.set_result(connected)
    else:
        connected.close(timeout=CLOSE_S)
