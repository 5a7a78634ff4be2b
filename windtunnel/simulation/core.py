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
    gave_up: list[int]
    queue_max: list[int]


def simulate(
    network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, replication: int = 0, told: bool = False
) -> Outcome:
    """Run one replication until every token is gone; it starts empty and arrivals are Poisson at the entry nodes."""
    streams = Streams(seed, replication)
    (born,), (entries,) = draw_arrivals(network, ManyStreams([streams]), tasks, arrivals_per_ms)
    if network.extras:
        return simulate_resilient(network, network.extras, streams, born, entries, told=told)
    ahead = [Ahead(network, node, streams) for node in range(len(network.keys))]
    log: list[Step] | None = [] if told else None
    ran = run(network, born.tolist(), entries.tolist(), ahead, log)
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
                visits=one.successes + gave_up,
                busy_ms=one.busy_ms,
                wait_ms=waited,
                retries=one.attempts - one.successes - gave_up,
                queue_max=longest,
            )
            for key, one, waited, gave_up, longest in zip(
                network.keys, ahead, ran.wait_ms, ran.gave_up, ran.queue_max, strict=True
            )
        ),
        log=log,
    )


def run(  # noqa: C901, PLR0912, PLR0915 - one loop: a call per event would halve its speed
    network: Network, born: list[float], entries: list[int], ahead: list[Ahead], log: list[Step] | None
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
    return Ran(left, succeeded, steps, now, waited, gave_up, queue_max)
