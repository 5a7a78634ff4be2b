"""The arrays that the kernel works on besides a network's tables, and those that it leaves its results in."""

from typing import NamedTuple

import numpy as np

from windtunnel.simulation.kernel.sequence import Words
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.outcome import Counts, Flags
from windtunnel.simulation.portable import Floats

BLOCK = 64
"""Numbers drawn at once. Results do not depend on it."""

COUNTS = (
    "attempts",
    "failures",
    "visits",
    "retries",
    "throttled",
    "delayed",
    "short_circuited",
    "opened",
    "over_budget",
    "fallbacks",
    "fallback_failures",
    "flawed",
    "caught",
    "late",
    "queue_max",
    "counted_visits",
)
"""What is counted per node, in the order of its numbers in the kernel."""


class Results(NamedTuple):
    """[replication, count or sum, node], [replication, task] and [replication]; all zero at first."""

    counts: Counts
    sums: Floats
    born: Floats
    left: Floats
    succeeded: Flags
    delivered: Flags
    degraded: Flags
    steps: Counts
    ends: Floats


class Agenda(NamedTuple):
    """A heap of events: when, planned in which order, of which token."""

    times: Floats
    orders: Counts
    tokens: Counts


class Ahead(NamedTuple):
    """Blocks drawn per node, and in `used`, [kind, node], how much of each has been used."""

    states: Words
    services: Floats
    failing: Flags
    fallbacks: Floats
    fallback_failing: Flags
    jitters: Floats
    flaws: Flags
    catches: Flags
    targets: Counts
    used: Counts
    spare: Floats


class Places(NamedTuple):
    """Per node: servers at work, the first and the last in line, how many are, the retry budget and the breaker.

    Per quota: how many tokens there are, and were when.
    """

    busy: Counts
    head: Counts
    tail: Counts
    in_line: Counts
    budget: Floats
    circuits: Counts
    until: Floats
    results: Flags
    level: Floats
    filled: Floats


class Tokens(NamedTuple):
    """Per token: node, attempts before, what its event says, task, fork, the next in line, and since when.

    `helped` is by a fallback, `reworked` how often for which node, `begun` what the breaker said; `free` are the
    numbers of tokens that are none. Per task: entry and live tokens.
    """

    where: Counts
    attempt: Counts
    event: Counts
    task: Counts
    group: Counts
    behind: Counts
    since: Floats
    helped: Flags
    flawed: Flags
    reworked: Counts
    begun: Counts
    free: Counts
    entries: Counts
    live: Counts


class Forks(NamedTuple):
    """Per fork at work, as in `simulation.tokens`; the tokens that came to a join are [fork, join]."""

    outer: Counts
    branches: Counts
    left: Counts
    met: Flags
    helped: Flags
    flawed: Flags
    joined: Counts
    joined_helped: Flags
    joined_flawed: Counts


class Workspace(NamedTuple):
    """All of it; one thread at a time."""

    agenda: Agenda
    ahead: Ahead
    places: Places
    tokens: Tokens
    forks: Forks


def make_results(count: int, nodes: int, tasks: int) -> Results:
    """Room for the results of so many replications."""
    return Results(
        counts=np.zeros((count, len(COUNTS), nodes), dtype=np.int64),
        sums=np.zeros((count, 4, nodes)),
        born=np.zeros((count, tasks)),
        left=np.zeros((count, tasks)),
        succeeded=np.zeros((count, tasks), dtype=np.bool_),
        delivered=np.zeros((count, tasks), dtype=np.bool_),
        degraded=np.zeros((count, tasks), dtype=np.bool_),
        steps=np.zeros(count, dtype=np.int64),
        ends=np.zeros(count),
    )


def make_workspace(tables: Tables, tasks: int, room: int) -> Workspace:
    """Arrays for replications of so many tasks, with room for so many tokens and forks at once."""
    nodes, joins = tables.servers.size, int(tables.join_place.max()) + 1
    forks = room if tables.fork.any() else 0
    return Workspace(
        agenda=Agenda(np.empty(room + 1), _counts(room + 1), _counts(room + 1)),
        ahead=Ahead(
            states=np.empty((*tables.jumps.shape[:2], 2), dtype=np.uint64),
            services=np.empty((nodes, BLOCK)),
            failing=_flags(nodes, BLOCK),
            fallbacks=np.empty((nodes, BLOCK)),
            fallback_failing=_flags(nodes, BLOCK),
            jitters=np.empty((nodes, BLOCK)),
            flaws=_flags(nodes, BLOCK),
            catches=_flags(nodes, BLOCK),
            targets=_counts(nodes, BLOCK),
            used=_counts(6, nodes),
            spare=np.empty(BLOCK),
        ),
        places=Places(
            busy=_counts(nodes),
            head=_counts(nodes),
            tail=_counts(nodes),
            in_line=_counts(nodes),
            budget=np.empty(nodes),
            circuits=_counts(nodes, 5),
            until=np.empty(nodes),
            results=_flags(nodes, max(1, int(tables.window.max()))),
            level=np.empty(tables.rate.size),
            filled=np.empty(tables.rate.size),
        ),
        tokens=Tokens(
            where=_counts(room),
            attempt=_counts(room),
            event=_counts(room),
            task=_counts(room),
            group=_counts(room),
            behind=_counts(room),
            since=np.empty(room),
            helped=_flags(room),
            flawed=_flags(room),
            reworked=_counts(room, int(tables.rework_place.max()) + 1),
            begun=_counts(room),
            free=np.arange(room - 1, -1, -1),
            entries=_counts(tasks),
            live=_counts(tasks),
        ),
        forks=Forks(
            outer=_counts(forks),
            branches=_counts(forks),
            left=_counts(forks),
            met=_flags(forks),
            helped=_flags(forks),
            flawed=_flags(forks),
            joined=_counts(forks, joins),
            joined_helped=_flags(forks, joins),
            joined_flawed=_counts(forks, joins),
        ),
    )


def _counts(*shape: int) -> Counts:
    return np.empty(shape, dtype=np.int64)


def _flags(*shape: int) -> Flags:
    return np.empty(shape, dtype=np.bool_)
