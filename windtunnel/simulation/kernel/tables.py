"""A compiled network as arrays for the kernel."""

from typing import NamedTuple

import numpy as np

from windtunnel.domain.architectures import Distribution
from windtunnel.simulation.extras import no_extras
from windtunnel.simulation.kernel.sequence import Words, jump
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Counts
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, beginning

LOGNORMAL, EXPONENTIAL, CONSTANT = 0, 1, 2
"""How service times are drawn; constant is also what has no spread."""


class Tables(NamedTuple):
    """Columns by node number as in Network and Extras; the open stretches of node n are hours[n] to hours[n + 1].

    `rework_place` numbers the nodes that have work done anew, -1 for the others. `jumps` lead to the beginning of each
    stream, [node, purpose]; the two for arrivals are those of the first rows.
    """

    servers: Counts
    kind: Counts
    level: Floats
    spread: Floats
    failure: Floats
    timeout: Floats
    attempts: Counts
    backoff: Floats
    start: Counts
    share: Floats
    target: Counts
    entry: Counts
    jitter: Floats
    budget: Floats
    window: Counts
    limit: Counts
    open_ms: Floats
    fallback: Counts
    fallback_kind: Counts
    fallback_level: Floats
    fallback_spread: Floats
    fallback_failure: Floats
    fork: Counts
    join: Counts
    join_place: Counts
    flaw: Floats
    catch: Floats
    rework: Counts
    rework_rounds: Counts
    rework_place: Counts
    vote: Counts
    hours: Counts
    opens: Floats
    closes: Floats
    begins: Floats
    overtime: Counts
    quota: Counts
    tokens: Floats
    rate: Floats
    burst: Floats
    waits: Counts
    jumps: Words


def tabulate(network: Network) -> Tables:
    """Lay a network out for the kernel."""
    nodes = len(network.keys)
    extras = network.extras or no_extras(nodes)
    reworking = [node for node in range(nodes) if extras.rework[node] >= 0]
    hours = extras.hours
    stretches = np.cumsum([0, *(0 if one is None else len(one.opens) for one in hours)])
    return Tables(
        servers=_counts(network.servers),
        kind=_kinds(network.distribution, network.spread),
        level=_floats(network.level),
        spread=_floats(network.spread),
        failure=_floats(network.failure),
        timeout=_floats(network.timeout),
        attempts=_counts(network.attempts),
        backoff=_floats(network.backoff),
        start=_counts(network.start),
        share=_floats(network.share),
        target=_counts(network.target),
        entry=_counts(network.entry),
        jitter=_floats(extras.jitter),
        budget=_floats(extras.budget),
        window=_counts(extras.breaker_window),
        limit=_counts(extras.breaker_failures),
        open_ms=_floats(extras.breaker_open),
        fallback=_counts(extras.fallback),
        fallback_kind=_kinds(extras.fallback_distribution, extras.fallback_spread),
        fallback_level=_floats(extras.fallback_level),
        fallback_spread=_floats(extras.fallback_spread),
        fallback_failure=_floats(extras.fallback_failure),
        fork=_counts(extras.fork),
        join=_counts(extras.join),
        join_place=_counts(extras.join_place),
        flaw=_floats(extras.flaw),
        catch=_floats(extras.catch),
        rework=_counts(extras.rework),
        rework_rounds=_counts(extras.rework_rounds),
        rework_place=_counts([reworking.index(node) if node in reworking else -1 for node in range(nodes)]),
        vote=_counts(extras.vote),
        hours=_counts(stretches),
        opens=_floats([opens for one in hours if one for opens in one.opens]),
        closes=_floats([closes for one in hours if one for closes in one.closes]),
        begins=_floats([one.begins if one else 0.0 for one in hours]),
        overtime=_counts([one is not None and one.overtime for one in hours]),
        quota=_counts(extras.quota),
        tokens=_floats(extras.tokens),
        rate=_floats(extras.rate),
        burst=_floats(extras.burst),
        waits=_counts(extras.waits),
        jumps=_jumps(network.stream),
    )


def _floats(column: object) -> Floats:
    return np.array(column, dtype=np.float64)


def _counts(column: object) -> Counts:
    return np.array(column, dtype=np.int64)


def _kinds(distributions: tuple[Distribution, ...], spreads: tuple[float, ...]) -> Counts:
    kinds = {Distribution.LOGNORMAL: LOGNORMAL, Distribution.EXPONENTIAL: EXPONENTIAL}
    return _counts(
        [
            CONSTANT if one is Distribution.LOGNORMAL and spread == 0.0 else kinds.get(one, CONSTANT)
            for one, spread in zip(distributions, spreads, strict=True)
        ]
    )


def _jumps(streams: tuple[int, ...]) -> Words:
    # Arrivals need two rows, whether there is a second node or not.
    jumps = np.zeros((max(2, len(streams)), len(Purpose), 4), dtype=np.uint64)
    for row in range(len(jumps)):
        for purpose in Purpose:
            number = streams[row] if purpose is not Purpose.ARRIVALS and row < len(streams) else row
            by, more = jump(beginning(purpose, number))
            jumps[row, purpose] = halves(by) + halves(more)
    return jumps


def halves(number: int) -> tuple[int, int]:
    """The two 64-bit halves of a 128-bit number, high half first."""
    return number >> 64, number & (2**64 - 1)
