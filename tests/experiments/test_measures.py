"""Measures: what counts of a replication, and that neither filling nor running empty is in the long run."""

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.domain.experiments import Estimate
from windtunnel.experiments.estimates import NOTHING, estimate, ratio_estimate, share
from windtunnel.experiments.measures import measured
from windtunnel.simulation.engine import simulate_many
from windtunnel.simulation.network import Node, compile_network
from windtunnel.simulation.outcome import Batch

FIXED = Distribution.DETERMINISTIC


def _batch(mean_ms: float, per_ms: float, *, tasks: int = 100, warmup: int = 0, servers: int = 1) -> Batch:
    network = compile_network([Node("a", ServiceTime(mean_ms, distribution=FIXED), servers=servers)], [], ["a"])
    return simulate_many(network, seed=2, tasks=tasks, arrivals_per_ms=per_ms, first=0, count=3, warmup=warmup)


def test_time_counts_from_the_first_counted_task_to_the_last() -> None:
    batch = _batch(60.0, 0.01, warmup=20)
    rows = measured(batch, 20)
    begin, end = batch.born_ms[:, 20], batch.born_ms[:, -1]
    assert np.array_equal(rows.at("time_ms")[:, 0], end - begin)
    within = (batch.left_ms > begin[:, None]) & (batch.left_ms <= end[:, None])
    assert np.array_equal(rows.of("done"), within.sum(axis=1))
    assert np.array_equal(rows.at("busy_ms"), batch.counted_busy_ms)
    assert np.array_equal(rows.at("wait_ms"), batch.counted_wait_ms)
    assert np.array_equal(rows.at("visits"), batch.counted_visits)
    assert np.array_equal(rows.at("attempts"), batch.attempts)


@pytest.mark.parametrize(("per_ms", "tasks"), [(10.0, 100), (0.01, 1)], ids=["a burst", "one task"])
def test_what_has_no_long_run_is_measured_as_a_whole(per_ms: float, tasks: int) -> None:
    batch = _batch(60.0, per_ms, tasks=tasks)
    rows = measured(batch, 0)
    assert np.array_equal(rows.at("time_ms")[:, 0], batch.end_ms)
    assert rows.of("done").tolist() == [tasks] * 3
    assert np.array_equal(rows.at("busy_ms"), batch.busy_ms)
    assert np.array_equal(rows.at("visits"), batch.visits)


def test_a_few_that_take_very_long_do_not_hide_the_load_of_the_rest() -> None:
    """Everything else is over within minutes; the last one is at a person for a day."""
    batch = _batch(60.0, 0.01)
    batch.left_ms[:, 50] += 86_400_000.0
    batch.end_ms[:] += 86_400_000.0
    assert measured(batch, 0).at("time_ms").max() < 60_000.0


def test_a_ratio_is_of_sums_and_its_interval_that_of_what_is_left() -> None:
    found = ratio_estimate([2.0, 3.0, 10.0], [1.0, 2.0, 4.0])
    assert found.mean == pytest.approx(15 / 7)
    left = estimate([2.0 - 15 / 7, 3.0 - 30 / 7, 10.0 - 60 / 7])
    assert found.half_width == pytest.approx(left.half_width / (7 / 3))
    assert ratio_estimate([3.0, 6.0], [1.0, 2.0]) == Estimate(3.0, 3.0, 3.0)
    assert ratio_estimate([0.0, 0.0], [0.0, 0.0]) == NOTHING
    assert ratio_estimate([0.0, 5.0], [0.0, 2.0]).mean == pytest.approx(2.5)


def test_shares_stay_within_their_bounds() -> None:
    assert share(Estimate(1.01, 0.9, 1.12)) == Estimate(1.0, 0.9, 1.0)
    assert share(Estimate(0.01, -0.1, 0.12)) == Estimate(0.01, 0.0, 0.12)
