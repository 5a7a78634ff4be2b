"""The discrete-event core: tasks walk through a queueing network in simulated time. Plain Python, no objects inside.

An event is (time, sequence, node, task, attempts before, state). Service times, failures and routes are drawn in blocks
per node before they are needed, so that the loop only compares, adds and takes the next number; a compiled twin that is
fed the same blocks repeats it bit for bit.
"""

from collections import deque
from heapq import heappop, heappush, heapreplace
from math import inf
from typing import NamedTuple

import numpy as np

from windtunnel.simulation.ahead import Ahead
from windtunnel.simulation.arrivals import draw_arrivals
from windtunnel.simulation.network import LEAVES, Network
from windtunnel.simulation.outcome import NodeStatistics, Outcome, Step
from windtunnel.simulation.randomness import ManyStreams, Streams
from windtunnel.simulation.resilient import simulate_resilient

_OK, _FAILED, _AGAIN = 0, 1, 2


class Ran(NamedTuple):
    """What one run of the loop leaves: per task, over all, and per node."""

    left_ms: list[float]
    succeeded: list[bool]
    steps: int
    end_ms: float
    wait_ms: list[float]
    visits: list[int]
    queue_max: list[int]
    attempts: list[int]
    busy_ms: list[float]
    counted_busy_ms: list[float]
    counted_wait_ms: list[float]
    counted_visits: list[int]


class _Mark(NamedTuple):
    """How far each node has come: attempts begun, waits ended, and visits that came to their first attempt."""

    attempts: list[int]
    wait_ms: list[float]
    visits: list[int]


def simulate(
    network: Network,
    *,
    seed: int,
    tasks: int,
    arrivals_per_ms: float,
    replication: int = 0,
    warmup: int = 0,
    told: bool = False,
) -> Outcome:
    """Run one replication until every token is gone; it starts empty and arrivals are Poisson at the entry nodes."""
    streams = Streams(seed, replication)
    (born,), (entries,) = draw_arrivals(network, ManyStreams([streams]), tasks, arrivals_per_ms)
    if network.extras:
        return simulate_resilient(network, network.extras, streams, born, entries, warmup=warmup, told=told)
    ahead = [Ahead(network, node, streams) for node in range(len(network.keys))]
    log: list[Step] | None = [] if told else None
    ran = run(network, born.tolist(), entries.tolist(), ahead, warmup=warmup, log=log)
    return Outcome(
        born_ms=born,
        left_ms=np.array(ran.left_ms),
        succeeded=np.array(ran.succeeded, dtype=np.bool_),
        delivered=np.array(ran.succeeded, dtype=np.bool_),
        degraded=np.zeros(tasks, dtype=np.bool_),
        steps=ran.steps,
        end_ms=ran.end_ms,
        nodes=tuple(
            NodeStatistics(
                key,
                attempts=one.attempts,
                failures=one.attempts - one.successes,
                visits=ran.visits[node],
                busy_ms=ran.busy_ms[node],
                wait_ms=ran.wait_ms[node],
                retries=one.attempts - ran.visits[node],
                queue_max=ran.queue_max[node],
                counted_busy_ms=ran.counted_busy_ms[node],
                counted_wait_ms=ran.counted_wait_ms[node],
                counted_visits=ran.counted_visits[node],
            )
            for node, (key, one) in enumerate(zip(network.keys, ahead, strict=True))
        ),
        log=log,
    )


def run(  # noqa: C901, PLR0912, PLR0915 - one loop: a call per event would halve its speed
    network: Network, born: list[float], entries: list[int], ahead: list[Ahead], *, warmup: int, log: list[Step] | None
) -> Ran:
    """The plain loop, over the arrivals of one replication and what lies ahead of its nodes."""
    nodes, tasks = range(len(network.keys)), len(born)
    durations = [one.durations for one in ahead]
    failures = [one.failures for one in ahead]
    targets = [one.targets for one in ahead]
    servers, attempts_max, backoff = network.servers, network.attempts, network.backoff
    busy = [0] * len(nodes)
    queues: list[deque[tuple[int, int, float]]] = [deque() for _ in nodes]
    queue_max = [0] * len(nodes)
    waited = [0.0] * len(nodes)
    gave_up = [0] * len(nodes)
    left = [0.0] * tasks
    succeeded = [False] * tasks
    borders = (min(warmup, tasks - 1), tasks - 1)
    marks: list[_Mark] = []
    agenda: list[tuple[float, int, int, int, int, int]] = [(inf, 0, 0, 0, 0, 0)]
    sequence = steps = arrived = 0
    now = 0.0
    next_arrival = born[0] if tasks else inf
    while True:
        event = agenda[0]
        if event[0] <= next_arrival:
            if event[0] == inf:
                break
            now, _, node, task, attempt, state = event
            if state == _AGAIN:
                heappop(agenda)
            else:
                steps += 1
                if log is not None:
                    log.append((now, node, task, attempt, state == _OK))
                queue = queues[node]
                if queue:
                    other, other_attempt, since = queue.popleft()
                    waited[node] += now - since
                    if not durations[node]:
                        ahead[node].draw_attempts()
                    end = now + durations[node].pop()
                    sequence += 1
                    heapreplace(agenda, (end, sequence, node, other, other_attempt, failures[node].pop()))
                else:
                    busy[node] -= 1
                    heappop(agenda)
                if state == _FAILED:
                    attempt += 1
                    if attempt < attempts_max[node]:
                        sequence += 1
                        again = now + backoff[node] * (1 << (attempt - 1))
                        heappush(agenda, (again, sequence, node, task, attempt, _AGAIN))
                    else:
                        gave_up[node] += 1
                        left[task] = now
                    continue
                if not targets[node]:
                    ahead[node].draw_targets()
                node = targets[node].pop()
                if node == LEAVES:
                    left[task] = now
                    succeeded[task] = True
                    continue
                attempt = 0
        else:
            if arrived in borders:
                marks.append(_mark(ahead, waited, busy, gave_up))
            now, node, task, attempt = next_arrival, entries[arrived], arrived, 0
            arrived += 1
            next_arrival = born[arrived] if arrived < tasks else inf
        if busy[node] < servers[node]:
            busy[node] += 1
            if not durations[node]:
                ahead[node].draw_attempts()
            sequence += 1
            heappush(agenda, (now + durations[node].pop(), sequence, node, task, attempt, failures[node].pop()))
        else:
            queue = queues[node]
            queue.append((task, attempt, now))
            if len(queue) > queue_max[node]:  # noqa: PLR1730 - half the time of max()
                queue_max[node] = len(queue)
    over = _mark(ahead, waited, busy, gave_up)
    begun, until = (marks[0], marks[-1]) if marks else (over, over)
    worked = [
        one.busy_ms(*counts) for one, *counts in zip(ahead, over.attempts, begun.attempts, until.attempts, strict=True)
    ]
    return Ran(
        left_ms=left,
        succeeded=succeeded,
        steps=steps,
        end_ms=now,
        wait_ms=waited,
        visits=over.visits,
        queue_max=queue_max,
        attempts=over.attempts,
        busy_ms=[whole for whole, _, _ in worked],
        counted_busy_ms=[after - before for _, before, after in worked],
        counted_wait_ms=[after - before for before, after in zip(begun.wait_ms, until.wait_ms, strict=True)],
        counted_visits=[after - before for before, after in zip(begun.visits, until.visits, strict=True)],
    )


def _mark(ahead: list[Ahead], waited: list[float], busy: list[int], gave_up: list[int]) -> _Mark:
    # Attempts begun less retries planned: so many visits came to their first attempt.
    visits = [one.successes + working + lost for one, working, lost in zip(ahead, busy, gave_up, strict=True)]
    return _Mark([one.attempts for one in ahead], waited.copy(), visits)
