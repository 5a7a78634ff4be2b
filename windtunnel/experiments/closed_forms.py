"""What queueing theory knows exactly about a network, to stand beside the simulated numbers.

Sources: F. Baskett, K. M. Chandy, R. R. Muntz, F. G. Palacios, "Open, Closed, and Mixed Networks of Queues with
Different Classes of Customers", Journal of the ACM 22 (1975), for exponential servers with feedback and pauses;
A. K. Erlang (M/M/c), F. Pollaczek and A. Y. Khinchine (M/G/1), both in L. Kleinrock, "Queueing Systems 1" (1975);
B. Melamed, "Characterizations of Poisson traffic streams in Jackson queueing networks", Advances in Applied Probability
11 (1979), for when work comes to a node as a Poisson stream.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, isinf, log

import numpy as np

from windtunnel.domain.architectures import Distribution
from windtunnel.experiments.traffic import Traffic, reaches, traffic_of
from windtunnel.simulation.network import Network

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Model(StrEnum):
    """Which formula gives a node's wait."""

    MM1 = "M/M/1"
    MMC = "M/M/c"
    MG1 = "M/G/1"
    MD1 = "M/D/1"
    MGI = "M/G/∞"


@dataclass(frozen=True, slots=True)
class NodeForm:
    """One node in the long run. `load` is the work offered per server (1 and more never settles).

    `wait_ms` is queueing per visit, of all its attempts together.
    """

    key: str
    load: float
    attempts_per_visit: float
    model: Model | None
    wait_ms: float | None


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """What is known exactly in the long run; None for what no formula gives. Times in milliseconds.

    `unstable` are the nodes that get more work than they can do: then only success and loads are known.
    """

    success_rate: float
    throughput_per_s: float | None
    latency_ms: dict[str, float] | None
    nodes: tuple[NodeForm, ...]
    unstable: tuple[str, ...]


def closed_form(network: Network, arrivals_per_ms: float) -> ClosedForm | None:
    """The exact long-run answer for a network, as far as there is one.

    None when work never leaves the network, and when it has breakers, budgets, forks, quotas or working hours; of forks
    see `closed_forks`.
    """
    traffic = traffic_of(network) if network.extras is None else None
    if traffic is None:
        return None
    loads = [
        arrivals_per_ms * float(traffic.visits[node] * traffic.attempts[node]) * one.mean_ms / network.servers[node]
        for node, one in enumerate(traffic.attempt)
    ]
    models = _models(network, traffic)
    unstable = tuple(key for key, load in zip(network.keys, loads, strict=True) if load >= 1.0)
    waits = [
        None if unstable or model is None else wait_of(network, traffic, node, model, loads[node])
        for node, model in enumerate(models)
    ]
    return ClosedForm(
        success_rate=traffic.success_rate,
        throughput_per_s=None if unstable else arrivals_per_ms * 1_000.0 * traffic.success_rate,
        latency_ms=None if unstable else _latency(network, traffic, waits, arrivals_per_ms),
        nodes=tuple(
            NodeForm(key, loads[node], each, models[node], None if wait is None else wait * each)
            for node, (key, each, wait) in enumerate(zip(network.keys, traffic.attempts.tolist(), waits, strict=True))
        ),
        unstable=unstable,
    )


def erlang_c(servers: int, offered: float) -> float:
    """The chance to wait in M/M/c with `offered` erlangs (less than `servers`), by the stable recursion of Erlang B."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = offered * blocked / (busy + offered * blocked)
    return servers * blocked / (servers - offered * (1.0 - blocked))


def _models(network: Network, traffic: Traffic) -> list[Model | None]:
    leads = reaches(traffic.routes)
    nodes = range(len(network.keys))
    found: list[Model | None] = []
    for node in nodes:
        used = [other for other in nodes if leads[other, node] and other != node]
        is_known = all(is_exponential(network, other) for other in used)
        found.append(queue_at(network, traffic, node, comes_back=bool(leads[node, node])) if is_known else None)
    return found


def is_exponential(network: Network, node: int) -> bool:
    """Whether attempts there take an exponential time that nothing cuts short."""
    return network.distribution[node] is Distribution.EXPONENTIAL and isinf(network.timeout[node])


def queue_at(network: Network, traffic: Traffic, node: int, *, comes_back: bool = False) -> Model | None:
    """The queue of a node to which tasks come as a Poisson stream, and maybe again; None where no formula is known."""
    if is_exponential(network, node):
        return Model.MM1 if network.servers[node] == 1 else Model.MMC
    one = traffic.attempt[node]
    once = not comes_back and (network.attempts[node] == 1 or one.failure == 0.0)
    if once and network.servers[node] == 1:
        return Model.MD1 if one.square_ms <= one.mean_ms**2 * (1 + 1e-12) else Model.MG1
    return None


def wait_of(network: Network, traffic: Traffic, node: int, model: Model, load: float) -> float:
    """Mean wait of an attempt before it is served."""
    one, servers = traffic.attempt[node], network.servers[node]
    if one.mean_ms == 0.0:
        return 0.0
    if model in {Model.MG1, Model.MD1}:
        return load * one.square_ms / (2.0 * one.mean_ms * (1.0 - load))
    return erlang_c(servers, load * servers) * one.mean_ms / (servers * (1.0 - load))


def _latency(network: Network, traffic: Traffic, waits: list[float | None], arrivals: float) -> dict[str, float] | None:
    """The time in the network of tasks that succeed; quantiles for a single node of exponential servers."""
    if traffic.success_rate == 0.0:
        return None
    nodes = np.flatnonzero(traffic.visits > 0.0)
    if any(waits[node] is None for node in nodes):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        onward = traffic.success[:, None] * traffic.routes * traffic.hope[None, :] / traffic.hope[:, None]
    onward = np.where(traffic.hope[:, None] > 0.0, onward, 0.0)
    entry = traffic.entry * traffic.hope / traffic.success_rate
    visits = np.linalg.solve(np.eye(len(entry)) - onward.T, entry)
    times = np.array([stay_of(network, traffic, node, waits[node] or 0.0) for node in range(len(entry))])
    found = {"mean": float(visits @ times)}
    if len(network.keys) == 1 and network.distribution[0] is Distribution.EXPONENTIAL and _straight(network, traffic):
        found |= _quantiles(network.servers[0], 1.0 / traffic.attempt[0].mean_ms, arrivals)
    return found


def stay_of(network: Network, traffic: Traffic, node: int, wait: float) -> float:
    """Mean time at a node of a visit that ends well: waits, failed attempts, pauses, and the attempt that succeeds."""
    one, pause = traffic.attempt[node], network.backoff[node]
    chance, total, rest = 1.0, 0.0, 0.0
    for failed in range(network.attempts[node]):
        paused = pause * (2.0**failed - 1.0)
        total += chance * ((failed + 1) * wait + failed * one.failure_ms + paused + one.success_ms)
        rest += chance
        chance *= one.failure
        if not chance:
            break
    return total / rest


def _straight(network: Network, traffic: Traffic) -> bool:
    return not traffic.routes.any() and traffic.attempt[0].failure == 0.0


def _quantiles(servers: int, rate: float, arrivals: float) -> dict[str, float]:
    waits = erlang_c(servers, arrivals / rate)
    drain = servers * rate - arrivals

    def beyond(time: float) -> float:
        """The chance to stay longer: service alone, or after a wait (the sum of two exponential times)."""
        alone = (1.0 - waits) * exp(-rate * time)
        if abs(drain - rate) < 1e-9 * rate:
            return alone + waits * exp(-rate * time) * (1.0 + rate * time)
        return alone + waits * (drain * exp(-rate * time) - rate * exp(-drain * time)) / (drain - rate)

    return {
        name: _solve(beyond, 1.0 - share, -log(1.0 - share) / min(rate, drain)) for name, share in _QUANTILES.items()
    }


def _solve(falls: Callable[[float], float], value: float, start: float) -> float:
    low, high = 0.0, start
    while falls(high) > value and high < inf:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if falls(middle) > value:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
