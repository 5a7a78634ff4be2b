"""The discrete-event core: tasks walk through a queueing network in simulated time. Plain Python, no objects inside.

An event is (time, sequence, node, task, attempts before, state). Service times, failures and routes are drawn in blocks
per node before they are needed, so that the loop only compares, adds and takes the next number; a compiled twin that is
fed the same blocks repeats it bit for bit.
"""

from collections import deque
from heapq import heappop, heappush, heapreplace
from math import inf

import numpy as np

from windtunnel.simulation import portable
from windtunnel.simulation.network import LEAVES, Network
from windtunnel.simulation.outcome import Flags, NodeStatistics, Outcome
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, Streams

BLOCK_MIN = 64
BLOCK_MAX = 4_096

_OK, _FAILED, _AGAIN = 0, 1, 2


class _Ahead:
    """What lies ahead of one node, next one last: service time and failure per attempt, target per success."""

    def __init__(self, network: Network, node: int, streams: Streams) -> None:
        self._network, self._node, self._streams = network, node, streams
        self._attempts = self._routes = 0
        self._busy: list[Floats] = []
        self._failed: list[Flags] = []
        self.durations: list[float] = []
        self.failures: list[int] = []
        self.targets: list[int] = []

    def draw_attempts(self) -> None:
        """Draw the next block of attempts; only when none is left."""
        network, node = self._network, self._node
        count = min(max(BLOCK_MIN, self._attempts), BLOCK_MAX)
        durations = network.durations(node, self._streams.uniforms(Purpose.SERVICE, node, self._attempts, count))
        chance = self._streams.uniforms(Purpose.FAILURE, node, self._attempts, count)
        failed = (durations > network.timeout[node]) | (chance < network.failure[node])
        durations = np.minimum(durations, network.timeout[node])
        self._busy.append(durations)
        self._failed.append(failed)
        self.durations += durations[::-1].tolist()
        self.failures += failed[::-1].astype(np.int8).tolist()
        self._attempts += count

    def draw_targets(self) -> None:
        """Draw the next block of targets; only when none is left."""
        count = min(max(BLOCK_MIN, self._routes), BLOCK_MAX)
        draws = self._streams.uniforms(Purpose.ROUTING, self._node, self._routes, count)
        self.targets += reversed(self._network.targets(self._node, draws))
        self._routes += count

    def statistics(self, key: str, waited: float, gave_up: int, queue_max: int) -> NodeStatistics:
        """What was consumed; durations are added one after the other, so that the sum does not depend on blocks."""
        made = self._attempts - len(self.durations)
        if not made:
            return NodeStatistics(key, 0, 0, 0, 0.0, 0.0)
        failures = int(np.count_nonzero(np.concatenate(self._failed)[:made]))
        busy = float(np.cumsum(np.concatenate(self._busy)[:made])[-1])
        visits = made - failures + gave_up
        return NodeStatistics(
            key, made, failures, visits, busy, waited, retries=failures - gave_up, queue_max=queue_max
        )


def simulate(  # noqa: C901, PLR0912, PLR0915 - one loop: a call per event would halve its speed
    network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, replication: int = 0, told: bool = False
) -> Outcome:
    """Run one replication until every task has left; it starts empty and arrivals are Poisson at the entry nodes."""
    streams = Streams(seed, replication)
    gaps = streams.uniforms(Purpose.ARRIVALS, 0, 0, tasks)
    born = np.cumsum(portable.log(1.0 - gaps) * (-1.0 / arrivals_per_ms)).tolist()
    doors = streams.uniforms(Purpose.ARRIVALS, 1, 0, tasks)
    entries = np.array(network.entry)[(doors * len(network.entry)).astype(np.int64)].tolist()
    nodes = range(len(network.keys))
    ahead = [_Ahead(network, node, streams) for node in nodes]
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
    log: list[tuple[float, int, int, int, bool]] | None = [] if told else None
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
    return Outcome(
        born_ms=np.array(born),
        left_ms=np.array(left),
        succeeded=np.array(succeeded, dtype=np.bool_),
        degraded=np.zeros(tasks, dtype=np.bool_),
        steps=steps,
        end_ms=now,
        nodes=tuple(
            one.statistics(network.keys[node], waited[node], gave_up[node], queue_max[node])
            for node, one in enumerate(ahead)
        ),
        log=log,
    )
