"""Which networks can be simulated: names that exist, shares that add up, and work that leaves in the end."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from windtunnel.domain.errors import ValidationError
from windtunnel.experiments.model import Model
from windtunnel.experiments.traffic import routes_of
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.resilience import NodeMode

PLACES_MAX = 2_048
"""Agents, and each use of a tool by one of them; four times as many as a network file may have."""
VISITS_MAX = 10_000.0
"""A task that visits the nodes more often than this, on average, is refused: it would hardly ever end."""
_ENDLESS = 1e9


def check_model(model: Model) -> None:
    """Raise ValidationError for the first thing that makes the model impossible to simulate."""
    fault = next(_faults(model), None)
    if fault is not None:
        rule, message, path = fault
        raise ValidationError(message, rule=rule, path=("network", *path))


Fault = tuple[str, str, tuple[str, ...]]


def _faults(model: Model) -> Iterator[Fault]:
    if len(model.places) > PLACES_MAX:
        yield (
            "too_large",
            f"The network has {len(model.places):,} places, each use of a tool included; allowed: {PLACES_MAX:,}.",
            (),
        )
    keys = [place.node.key for place in model.places]
    yield from _repeated(keys, "node")
    yield from _repeated([quota.key for quota in model.quotas], "quota")
    yield from _unknown(model, set(keys))
    yield from _link_faults(model)
    yield from _node_faults(model)
    if visits_per_task(model) > VISITS_MAX:
        yield (
            "never_leaves",
            f"A task visits more than {VISITS_MAX:,.0f} nodes before it leaves: let loops and forks end sooner.",
            ("links",),
        )


def _repeated(keys: list[str], noun: str) -> Iterator[Fault]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield "unique", f"The {noun} {key!r} is there {count} times: give each a key of its own.", (f"{noun}s",)


def _unknown(model: Model, known: set[str]) -> Iterator[Fault]:
    for number, route in enumerate(model.routes):
        for side, key in (("source", route.source), ("target", route.target)):
            if key not in known:
                yield (
                    "unknown_node",
                    f"A link's {side} is {key!r}, and no node has that key.",
                    ("links", str(number), side),
                )
    for number, key in enumerate(model.entry):
        if key not in known:
            yield "unknown_node", f"Work enters at {key!r}, and no node has that key.", ("entry", str(number))
    quotas = {quota.key for quota in model.quotas}
    for number, place in enumerate(model.places):
        if place.node.quota is not None and place.node.quota not in quotas:
            message = f"The node {place.node.key!r} takes from quota {place.node.quota!r}, which is not there."
            yield "unknown_quota", message, ("nodes", str(number), "quota")


def _link_faults(model: Model) -> Iterator[Fault]:
    forks = {place.node.key for place in model.places if place.node.mode is NodeMode.FORK}
    shares: Counter[str] = Counter()
    for number, route in enumerate(model.routes):
        if route.source in forks:
            continue
        shares[route.source] += route.probability  # type: ignore[assignment]
        if shares[route.source] > 1 + 1e-9:
            message = f"The links of {route.source!r} have probabilities of more than 1 together: at most 1 is there."
            yield "shares", message, ("links", str(number), "probability")


def _node_faults(model: Model) -> Iterator[Fault]:
    arriving = Counter(route.target for route in model.routes)
    for number, place in enumerate(model.places):
        node = place.node
        if node.hours is not None and node.hours.closes_ms <= node.hours.opens_ms:
            message = f"The node {node.key!r} closes before it opens: give a later time for closes (24:00 at most)."
            yield "hours", message, ("nodes", str(number), "hours")
        if node.join is not None and node.join > max(1, arriving[node.key]):
            message = f"The node {node.key!r} waits for {node.join}, and {arriving[node.key]} links lead to it."
            yield "join", message, ("nodes", str(number), "join")
        quota = next((one for one in model.quotas if one.key == node.quota), None)
        most = None if quota is None else quota.burst if quota.burst is not None else quota.tokens_per_minute
        if most is not None and node.tokens > most:
            message = (
                f"An attempt at {node.key!r} takes {node.tokens:g} tokens; its quota never holds more than {most:g}."
            )
            yield "quota", message, ("nodes", str(number), "tokens")


def visits_per_task(model: Model) -> float:
    """How many visits a task makes on average when nothing fails; infinite when work never leaves."""
    visits = _visits(model)
    return np.inf if visits is None else float(visits.sum())


def attempts_per_task(model: Model) -> float:
    """How many attempts a task makes on average at most, if every visit takes all of its own; infinite, as above."""
    visits = _visits(model)
    most = np.array([place.node.max_attempts for place in model.places], dtype=np.float64)
    return np.inf if visits is None else float(visits @ most)


def _visits(model: Model) -> Floats | None:
    """How often a task comes to each place on average when nothing fails; None when work never leaves.

    A fork sends one token along each link; a join that waits for k turns k tokens into one.
    """
    network = model.network
    onward = routes_of(network)
    for number, place in enumerate(model.places):
        if place.node.mode is NodeMode.FORK:
            ways = network.target[network.start[number] : network.start[number + 1]]
            onward[number] = np.bincount(ways, minlength=len(model.places))
    # A join holds nothing back of what no fork has made: also a token that takes one way at each fork has to leave.
    if not _ends(onward / np.maximum(onward.sum(axis=1, keepdims=True), 1.0)):
        return None
    quorum = np.array([max(1, place.node.join or 1) for place in model.places], dtype=np.float64)
    onward /= quorum[None, :]
    entry = np.bincount(network.entry, minlength=len(model.places)) / len(network.entry)
    if not _ends(onward):
        return None
    return np.linalg.solve(np.eye(len(entry)) - onward.T, entry).astype(np.float64)


def _ends(onward: Floats) -> bool:
    """Whether all work leaves in the end."""
    try:
        # How much work begins wherever one task comes in: positive everywhere just when all of it leaves.
        ahead = np.linalg.solve(np.eye(len(onward)) - onward, np.ones(len(onward)))
    except np.linalg.LinAlgError:
        return False
    return bool(np.all((ahead > 0.0) & (ahead < _ENDLESS)))
