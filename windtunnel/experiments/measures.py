"""What one replication is reduced to: a row of numbers, so that thousands of them can be kept, sent and compared."""

from dataclasses import dataclass

import numpy as np

from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.histogram import BUCKETS, Counts, counted
from windtunnel.experiments.model import Model
from windtunnel.experiments.percentiles import KEPT, thinned
from windtunnel.simulation.outcome import Batch
from windtunnel.simulation.portable import Floats

OVERALL = ("success_rate", "degraded_rate", "succeeded", "mean_ms", "early_ms", "late_ms", "done", "steps")
"""Measures of a replication; latencies are of tasks that succeeded (NaN when none did): of all, of the first half and
of the second half of the tasks. `succeeded` are so many tasks, `done` those of them within the time that counts."""
PER_NODE = (
    "busy_ms",
    "wait_ms",
    "visits",
    "attempts",
    "failures",
    "retries",
    "throttled",
    "short_circuited",
    "fallbacks",
    "time_ms",
)
"""Measures of each node: `busy_ms`, `wait_ms` and `visits` within the time that counts, which is `time_ms` long; the
rest is counted over the whole replication."""
_COUNTED = ("busy_ms", "wait_ms", "visits")


@dataclass(frozen=True, slots=True)
class Measures:
    """Rows of numbers, one per replication, in the order of replications."""

    overall: Floats
    """[replication, measure], columns as in OVERALL."""
    nodes: Floats
    """[replication, node, measure], columns as in PER_NODE."""
    latencies: Counts
    """How many tasks of all these replications together took how long: [bucket], see `histogram`."""
    times: Floats
    """[replication, rank]: how long tasks that succeeded took, see `percentiles.thinned`."""

    def of(self, name: str) -> Floats:
        """One measure of every replication."""
        return self.overall[:, OVERALL.index(name)]

    def at(self, name: str) -> Floats:
        """One measure of every node in every replication: [replication, node]."""
        return self.nodes[:, :, PER_NODE.index(name)]

    def __len__(self) -> int:
        return len(self.overall)


def measured(batch: Batch, warmup: int, kept: int = KEPT) -> Measures:
    """Reduce a batch; the first `warmup` tasks of each replication count for neither success nor latency.

    Of each replication at most `kept` latencies are kept for percentiles.

    The time that counts is from the birth of the first task after them to that of the last one; where less than half
    of the tasks have left by then, so that there is no long run to see, it is the whole replication.
    """
    succeeded, tasks = batch.succeeded[:, warmup:], batch.succeeded.shape[1] - warmup
    stay = np.where(succeeded, (batch.left_ms - batch.born_ms)[:, warmup:], np.inf)
    halves = (_means_of(stay[:, : tasks // 2]), _means_of(stay[:, tasks // 2 :]))
    stay.sort(axis=1)
    done = succeeded.sum(axis=1)
    since, until = batch.born_ms[:, [warmup]], batch.born_ms[:, [-1]]
    late = (until <= since)[:, 0] | ((batch.left_ms <= until).sum(axis=1) * 2 < batch.born_ms.shape[1])
    within = late[:, None] | ((batch.left_ms > since) & (batch.left_ms <= until))
    time = np.where(late, np.maximum(batch.end_ms, np.finfo(np.float64).tiny), (until - since)[:, 0])
    overall = np.column_stack(
        [
            done / tasks,
            batch.degraded[:, warmup:].sum(axis=1) / tasks,
            done,
            _means_of(stay),
            *halves,
            (batch.succeeded & within).sum(axis=1),
            batch.steps,
        ]
    )
    nodes = np.empty((len(done), batch.attempts.shape[1], len(PER_NODE)))
    for place, name in enumerate(PER_NODE[:-1]):
        nodes[:, :, place] = getattr(batch, name)
        if name in _COUNTED:
            nodes[:, :, place] = np.where(late[:, None], nodes[:, :, place], getattr(batch, f"counted_{name}"))
    nodes[:, :, -1] = time[:, None]
    return Measures(overall, nodes, counted(stay), thinned(stay, done, kept))


def joined(parts: list[Measures]) -> Measures:
    """One after the other."""
    return Measures(
        np.concatenate([one.overall for one in parts]),
        np.concatenate([one.nodes for one in parts]),
        np.sum([one.latencies for one in parts], axis=0),
        np.concatenate([one.times for one in parts]),
    )


def packed(measures: Measures) -> bytes:
    """As bytes, little-endian; `unpacked` is the reverse."""
    # A float holds every whole number up to 9e15: no count is rounded.
    parts = (measures.overall, measures.nodes, measures.latencies, measures.times)
    return np.concatenate([[float(measures.times.shape[1])], *(part.ravel() for part in parts)]).astype("<f8").tobytes()


def unpacked(data: bytes, count: int) -> Measures:
    """The measures of `count` replications. Raises ValueError for bytes that are no such thing."""
    everything = np.frombuffer(data, dtype="<f8").astype(np.float64)
    kept = int(everything[0]) * count
    rest = everything[1:]
    cuts = [count * len(OVERALL), len(rest) - BUCKETS - kept, len(rest) - kept]
    overall, nodes, latencies, times = np.split(rest, cuts)
    return Measures(
        overall.reshape(count, len(OVERALL)),
        nodes.reshape(count, -1, len(PER_NODE)),
        latencies.astype(np.int64),
        times.reshape(count, -1),
    )


def tokens_of(model: Model, measures: Measures, tasks: int) -> Floats:
    """Tokens of models per offered task, in each replication."""
    each = np.array([place.input_tokens + place.output_tokens for place in model.places])
    return _per_task(measures, each, tasks)


def cost_of(model: Model, measures: Measures, tasks: int, price: ModelPrice) -> Floats:
    """US dollars per offered task, in each replication."""
    each = np.array([price.input * one.input_tokens + price.output * one.output_tokens for one in model.places]) / 1e6
    return _per_task(measures, each, tasks)


def _per_task(measures: Measures, each: Floats, tasks: int) -> Floats:
    # A 429 costs no tokens. Summed node by node: a product of matrices may add in another order elsewhere.
    served = measures.at("attempts") - measures.at("throttled")
    total = np.zeros(len(measures))
    for node in range(len(each)):
        total += served[:, node] * each[node]
    return total / tasks


def _means_of(stay: Floats) -> Floats:
    """The mean of what is finite in each row; NaN where nothing is."""
    # Added one after the other: a sum might be grouped in another way elsewhere.
    known = np.isfinite(stay)
    count = known.sum(axis=1)
    total = np.cumsum(np.where(known, stay, 0.0), axis=1)[:, -1] if stay.shape[1] else np.zeros(len(stay))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
