"""Counts of how long tasks took: each counted once, wherever the work was cut."""

import json
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.experiments import LatencyBin, Load
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.histogram import BUCKETS, EDGES, bins_of, counted
from windtunnel.experiments.measures import joined, packed, unpacked
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.study import Chunk, study_of

NODE = {"key": "a", "service": {"dist": "exponential", "mean_ms": 50}, "failure_probability": 0.2}
TIMES = st.floats(0.0, 1e12) | st.just(np.inf) | st.just(np.nan)


@given(st.lists(TIMES, max_size=30))
def test_each_time_is_counted_once_in_the_bin_that_holds_it(times: list[float]) -> None:
    bins = bins_of(counted(np.array(times)))
    known = [time for time in times if np.isfinite(time)]
    assert sum(one.tasks for one in bins) == len(known)
    for one in bins:
        assert one.tasks == sum(one.from_ms <= time < one.to_ms or time >= one.to_ms >= 1e11 for time in known)
    assert all(one.to_ms == other.from_ms for one, other in pairwise(bins))
    assert not bins or min(bins[0].tasks, bins[-1].tasks) > 0


@given(st.lists(TIMES, max_size=20), st.lists(TIMES, max_size=20))
def test_counts_add_up(some: list[float], others: list[float]) -> None:
    together = counted(np.array(some + others))
    assert (counted(np.array(some)) + counted(np.array(others)) == together).all()


def test_round_times_are_not_borders() -> None:
    assert len(EDGES) == BUCKETS - 1
    for time in (1, 50, 100, 200, 250, 1_000, 30_000, 60_000, 3_600_000):
        one, other = counted(np.array([time * (1 - 1e-12)])), counted(np.array([time * (1 + 1e-12)]))
        assert (one == other).all()


def test_the_distribution_is_of_tasks_that_succeeded_wherever_the_work_was_cut() -> None:
    study = study_of(read_network(json.dumps({"nodes": [NODE], "entry": ["a"]})), None, Load(7, 12, 200, 8.0))
    found = findings_of(study, conduct(study)).base
    known = 12 * (200 - found.warmup_tasks) * found.success_rate.mean
    assert sum(one.tasks for one in found.latencies) == round(known)
    middle = 0
    for one in found.latencies:
        middle += one.tasks
        if middle >= known / 2:
            assert one.from_ms * 0.9 < found.latency_p50_ms.mean < one.to_ms * 1.1
            break
    pieces = [study.do(Chunk(0, first, 4)) for first in (0, 4, 8)]
    again = joined([unpacked(packed(piece), 4) for piece in pieces])
    assert bins_of(again.latencies) == found.latencies
    assert packed(again) == packed(study.do(Chunk(0, 0, 12)))


def test_nothing_that_succeeds_has_no_distribution() -> None:
    assert bins_of(counted(np.array([np.inf]))) == ()
    assert bins_of(counted(np.array([0.0])))[0] == LatencyBin(0.0, EDGES[0], 1)


def test_a_bin_begins_with_its_border() -> None:
    (one,) = bins_of(counted(EDGES[70:71]))
    assert one.from_ms == EDGES[70]
