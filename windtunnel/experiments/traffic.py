"""Traffic equations: how often work comes to each node in the long run, and what share of it succeeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.experiments.attempts import Attempt, attempt_at
from windtunnel.simulation.network import LEAVES, Network
from windtunnel.simulation.portable import Floats

_ABSORBED = 1e-12


@dataclass(frozen=True, slots=True)
class Traffic:
    """Long-run flows by node number. `visits` are per offered task, `attempts` per visit, `success` per visit.

    `hope` is the chance that work which just came to the node leaves the network with success; `routes[n, m]` is the
    share of successes at n that go on to m.
    """

    attempt: tuple[Attempt, ...]
    visits: Floats
    attempts: Floats
    success: Floats
    hope: Floats
    routes: Floats
    entry: Floats

    @property
    def success_rate(self) -> float:
        """The share of offered tasks that succeed."""
        return float(self.entry @ self.hope)


def traffic_of(network: Network) -> Traffic | None:
    """Solve the traffic equations; None when some work never leaves (a loop that nothing ends)."""
    count = len(network.keys)
    attempt = tuple(attempt_at(network, node) for node in range(count))
    success, attempts = visits_of(network, attempt)
    routes = routes_of(network)
    entry: Floats = np.bincount(network.entry, minlength=count).astype(np.float64) / len(network.entry)
    onward = success[:, None] * routes
    if _never_leaves(onward):
        return None
    identity = np.eye(count)
    visits = np.linalg.solve(identity - onward.T, entry).astype(np.float64)
    hope = np.linalg.solve(identity - onward, success * (1.0 - routes.sum(axis=1))).astype(np.float64)
    return Traffic(attempt, visits, attempts, success, hope, routes, entry)


def visits_of(network: Network, attempt: Sequence[Attempt]) -> tuple[Floats, Floats]:
    """How likely a visit to each node succeeds, and how many attempts it makes: a geometric series that is cut off."""
    failure: Floats = np.array([one.failure for one in attempt])
    most = np.array(network.attempts, dtype=np.float64)
    success: Floats = 1.0 - failure**most
    with np.errstate(invalid="ignore", divide="ignore"):
        attempts: Floats = np.where(failure < 1.0, success / (1.0 - failure), most)
    return success, attempts


def routes_of(network: Network) -> Floats:
    """The routes as a matrix of shares."""
    count = len(network.keys)
    routes = np.zeros((count, count))
    for node in range(count):
        before = 0.0
        for place in range(network.start[node], network.start[node + 1]):
            if network.target[place] != LEAVES:
                routes[node, network.target[place]] += float(network.share[place]) - before
            before = float(network.share[place])
    return routes


def reaches(routes: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which node leads to which, by one route or more."""
    found = routes > 0.0
    for middle in range(len(found)):
        found |= found[:, middle : middle + 1] & found[middle : middle + 1, :]
    return found


def _never_leaves(onward: Floats) -> bool:
    return bool(np.max(np.abs(np.linalg.eigvals(onward)), initial=0.0) > 1.0 - _ABSORBED)
