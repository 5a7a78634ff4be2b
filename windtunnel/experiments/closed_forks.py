"""What is known exactly of a fork whose branches meet again: k of n.

Success and loads are those of independent branches. A branch at whose node practically nobody ever waits has a time of
its own, and the join's is that of an order statistic of these (H. A. David, H. N. Nagaraja, "Order Statistics" (2003),
5.2 for branches that differ). Where branches wait, they wait together, and no formula gives their join's time.
"""

from dataclasses import replace
from math import log

import numpy as np

from windtunnel.experiments.attempts import attempt_at
from windtunnel.experiments.closed_forms import ClosedForm, Model, NodeForm, is_exponential, queue_at, stay_of, wait_of
from windtunnel.experiments.order_statistics import Branch, at_least, order_statistic
from windtunnel.experiments.traffic import Traffic, visits_of
from windtunnel.simulation.extras import no_extras
from windtunnel.simulation.network import LEAVES, Network

_NOBODY = log(1e9)
"""Less than one in a billion waits: nobody does."""


def forked_form(network: Network, arrivals_per_ms: float) -> ClosedForm | None:
    """The exact long-run answer for a fork of single nodes that meet at one join, or nowhere (then all must come).

    None for every other shape, and where a node has more than retries, time limits and back-off.
    """
    shape = _shape(network)
    if shape is None:
        return None
    fork, branches, join = shape
    quorum = len(branches) if join is None or network.extras is None else network.extras.join[join]
    traffic = _traffic(network, fork, branches, join, quorum)
    success = float(traffic.hope[fork])
    loads = [
        arrivals_per_ms * float(traffic.visits[node] * traffic.attempts[node]) * one.mean_ms / network.servers[node]
        for node, one in enumerate(traffic.attempt)
    ]
    unstable = tuple(key for key, load in zip(network.keys, loads, strict=True) if load >= 1.0)
    models = _models(network, traffic, loads, fork, join)
    waits = [
        None
        if unstable or model is None
        else 0.0
        if model is Model.MGI
        else wait_of(network, traffic, node, model, loads[node])
        for node, model in enumerate(models)
    ]
    calm = all(models[node] is Model.MGI for node in branches)
    latency = _latency(network, traffic, waits, shape, quorum) if calm and not unstable else None
    return ClosedForm(
        success_rate=success,
        throughput_per_s=None if unstable else arrivals_per_ms * 1_000.0 * success,
        latency_ms=None if latency is None or not success else {"mean": latency},
        nodes=tuple(
            NodeForm(key, loads[node], each, models[node], None if wait is None else wait * each)
            for node, (key, each, wait) in enumerate(zip(network.keys, traffic.attempts.tolist(), waits, strict=True))
        ),
        unstable=unstable,
    )


Shape = tuple[int, list[int], int | None]


def _shape(network: Network) -> Shape | None:
    """Fork, branches and join, where that is all that there is."""
    extras = network.extras
    if extras is None:
        return None
    off = no_extras(len(network.keys))
    forks = replace(off, fork=extras.fork, join=extras.join, join_place=extras.join_place, joins=extras.joins)
    if replace(forks, tokens=extras.tokens, vote=extras.vote) != extras or sum(extras.fork) != 1:
        return None
    fork = extras.fork.index(True)
    branches = _targets(network, fork)
    ends = {tuple(_targets(network, node)) for node in branches}
    if set(network.entry) != {fork} or len(set(branches)) < len(branches) or len(ends) != 1:
        return None
    (end,) = ends
    if end and (len(end) > 1 or not extras.join[end[0]] or _targets(network, end[0])):
        return None
    join = end[0] if end else None
    known = {fork, *branches, *end}
    is_plain = not any(extras.join[node] for node in known if node != join)
    is_sure = all(network.share[network.start[node]] >= 1.0 - 1e-12 for node in branches if end)
    return (fork, branches, join) if is_plain and is_sure and len(known) == len(network.keys) else None


def _targets(network: Network, node: int) -> list[int]:
    found = list(network.target[network.start[node] : network.start[node + 1]])
    return [target for target in found if target != LEAVES]


def _traffic(network: Network, fork: int, branches: list[int], join: int | None, quorum: int) -> Traffic:
    count = len(network.keys)
    attempt = tuple(attempt_at(network, node) for node in range(count))
    success, attempts = visits_of(network, attempt)
    met = float(success[fork]) * at_least(quorum, [float(success[node]) for node in branches])
    visits = np.full(count, success[fork])
    visits[fork] = 1.0
    hope = np.zeros(count)
    hope[fork] = met
    if join is not None:
        visits[join] = met
        hope[fork] = met * success[join]
    return Traffic(attempt, visits, attempts, success, hope, np.zeros((count, count)), np.zeros(count))


def _models(network: Network, traffic: Traffic, loads: list[float], fork: int, join: int | None) -> list[Model | None]:
    """Whatever nobody waits at sends its work on as it came, as a Poisson stream; so do exponential servers."""
    calm = [_is_calm(load * network.servers[node], network.servers[node]) for node, load in enumerate(loads)]
    found: list[Model | None] = []
    for node in range(len(loads)):
        before = [] if node == fork else [fork] if node != join else [one for one in range(len(loads)) if one != join]
        # Branches that wait do not come to their join as a Poisson stream, even if each alone would.
        is_poisson = all(calm[one] or (is_exponential(network, one) and node != join) for one in before)
        if not is_poisson and traffic.attempt[node].mean_ms > 0.0:
            found.append(None)
        elif calm[node]:
            found.append(Model.MGI)
        else:
            found.append(queue_at(network, traffic, node))
    return found


def _is_calm(offered: float, servers: int) -> bool:
    """Whether nobody waits: H. Chernoff's bound of the chance that a Poisson number reaches the servers."""
    if not offered:
        return True
    return servers > offered and servers * log(servers / offered) - servers + offered > _NOBODY


def _latency(network: Network, traffic: Traffic, waits: list[float | None], shape: Shape, quorum: int) -> float | None:
    fork, branches, join = shape
    times = [Branch.of(network, traffic, node) for node in branches]
    known = [one for one in times if one is not None]
    if len(known) < len(branches) or not traffic.hope[fork]:
        return None
    total = order_statistic(quorum, known)
    if total is None:
        return None
    for node in [fork] if join is None else [fork, join]:
        wait = waits[node]
        if wait is None:
            return None
        total += stay_of(network, traffic, node, wait)
    return total
