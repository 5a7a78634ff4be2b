"""What one replication is reduced to: a row of numbers, so that thousands of them can be kept, sent and compared."""

from dataclasses import dataclass

import numpy as np

from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.histogram import BUCKETS, Counts, counted
from windtunnel.experiments.model import Model
from windtunnel.simulation.outcome import Batch
from windtunnel.simulation.portable import Floats

OVERALL = ("success_rate", "degraded_rate", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "done", "steps")
"""Measures of a replication; latencies are of tasks that succeeded (NaN when none did), `done` are the tasks that
succeeded within the time that counts."""
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
_PERCENTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Measures:
    """Rows of numbers, one per replication, in the order of replications."""

    overall: Floats
    """[replication, measure], columns as in OVERALL."""
    nodes: Floats
    """[replication, node, measure], columns as in PER_NODE."""
    latencies: Counts
    """How many tasks of all these replications together took how long: [bucket], see `histogram`."""

    def of(self, name: str) -> Floats:
        """One measure of every replication."""
        return self.overall[:, OVERALL.index(name)]

    def at(self, name: str) -> Floats:
        """One measure of every node in every replication: [replication, node]."""
        return self.nodes[:, :, PER_NODE.index(name)]

    def __len__(self) -> int:
        return len(self.overall)


def measured(batch: Batch, warmup: int) -> Measures:
    """Reduce a batch; the first `warmup` tasks of each replication count for neither success nor latency.

    The time that counts is from the birth of the first task after them to that of the last one; where less than half
    of the tasks have left by then, so that there is no long run to see, it is the whole replication.
    """
    succeeded, tasks = batch.succeeded[:, warmup:], batch.succeeded.shape[1] - warmup
    stay = np.where(succeeded, (batch.left_ms - batch.born_ms)[:, warmup:], np.inf)
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
            _means(stay, done),
            *(_percentile(stay, done, percent) for percent in _PERCENTILES),
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
    return Measures(overall, nodes, counted(stay))


def joined(parts: list[Measures]) -> Measures:
    """One after the other."""
    return Measures(
        np.concatenate([one.overall for one in parts]),
        np.concatenate([one.nodes for one in parts]),
        np.sum([one.latencies for one in parts], axis=0),
    )


def packed(measures: Measures) -> bytes:
    """As bytes, little-endian; `unpacked` is the reverse."""
    # A float holds every whole number up to 9e15: no count is rounded.
    everything = np.concatenate([measures.overall.ravel(), measures.nodes.ravel(), measures.latencies])
    return everything.astype("<f8").tobytes()


def unpacked(data: bytes, count: int) -> Measures:
    """The measures of `count` replications. Raises ValueError for bytes that are no such thing."""
    everything = np.frombuffer(data, dtype="<f8").astype(np.float64)
    overall, nodes, latencies = np.split(everything, [count * len(OVERALL), -BUCKETS])
    return Measures(
        overall.reshape(count, len(OVERALL)), nodes.reshape(count, -1, len(PER_NODE)), latencies.astype(np.int64)
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


def _means(stay: Floats, done: Floats) -> Floats:
    running = np.cumsum(stay, axis=1)
    return _where_any(
        done, running[np.arange(len(done)), np.maximum(done.astype(np.int64), 1) - 1] / np.maximum(done, 1)
    )


def _percentile(stay: Floats, done: Floats, percent: float) -> Floats:
    """Linear between the two nearest of the sorted times."""
    rows = np.arange(len(done))
    place = (np.maximum(done, 1) - 1) * (percent / 100.0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(done.astype(np.int64), 1) - 1)
    low, high = stay[rows, below], stay[rows, above]
    with np.errstate(invalid="ignore"):
        return _where_any(done, low + (high - low) * (place - below))


def _where_any(done: Floats, values: Floats) -> Floats:
    return np.where(done > 0, values, np.nan)
