"""The one door to the discrete-event core: the compiled kernel once it is ready, else the plain loop; equal results."""

from importlib.util import find_spec
from threading import Lock, Thread
from typing import Protocol

from windtunnel.simulation import plain
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Batch, Outcome


class _Many(Protocol):
    def __call__(
        self, network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int, warmup: int
    ) -> Batch: ...


_kernel: list[_Many] = []
_preparing = Lock()


def simulate(network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, replication: int = 0) -> Outcome:
    """Run one replication until every token is gone; equal to `core.simulate` to the last bit."""
    batch = simulate_many(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals_per_ms, first=replication, count=1)
    return batch.outcome(0, network.keys)


def simulate_many(
    network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int, warmup: int = 0
) -> Batch:
    """Run replications `first` to `first` + `count` - 1, equal bit for bit to as many calls of `simulate`.

    The first `warmup` tasks come before the time of what is `counted` per node.

    Raises ValueError when the tokens of a network's forks multiply without end.

    The kernel runs without the interpreter's lock, so that threads run at the same time; the plain loop does not.
    """
    many = _kernel[0] if _kernel else plain.simulate_many
    return many(
        network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals_per_ms, first=first, count=count, warmup=warmup
    )


def prepare_kernel() -> Thread | None:
    """Begin to prepare the kernel in the background; join the answer to wait for it.

    None when it is there already or cannot be, because numba (extra `fast`) is not installed. Compiling takes some
    seconds of another process, once per machine; after that it is read from disk.
    """
    if _kernel or find_spec("numba") is None:
        return None
    thread = Thread(target=_prepare, name="kernel", daemon=True)
    thread.start()
    return thread


def kernel_ready() -> bool:
    """Whether replications run on the compiled kernel from now on."""
    return bool(_kernel)


def _prepare() -> None:
    with _preparing:
        if not _kernel:
            from windtunnel.simulation.kernel import batch, preparing

            preparing.prepare()
            _kernel.append(batch.simulate_many)
