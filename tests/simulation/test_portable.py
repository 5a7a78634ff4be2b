"""Portable mathematics agrees with the machine's own, and random streams with themselves."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from windtunnel.simulation import portable
from windtunnel.simulation.randomness import Purpose, Streams


def test_exp_is_exact_to_a_few_units_in_the_last_place() -> None:
    x = np.linspace(-690, 690, 20_001)
    assert portable.exp(x) == pytest.approx([math.exp(value) for value in x], rel=1e-15, abs=0)


def test_log_is_exact_to_a_few_units_in_the_last_place() -> None:
    x = np.concatenate([np.exp(np.linspace(-690, 690, 10_001)), np.linspace(0.5, 2, 10_001)])
    assert portable.log(x) == pytest.approx([math.log(value) for value in x], rel=1e-15, abs=1e-17)


def test_the_normal_quantile_agrees_with_the_standard_library() -> None:
    shares = np.concatenate([np.linspace(0.0001, 0.9999, 9_999), [2.0**-54, 1e-12, 1e-30, 1 - 2.0**-53]])
    normal = NormalDist()
    assert portable.normal_quantile(shares) == pytest.approx(
        [normal.inv_cdf(float(share)) for share in shares], rel=1e-13, abs=1e-15
    )


def test_a_stream_can_be_read_from_any_place() -> None:
    whole = Streams(7, 0).uniforms(Purpose.SERVICE, 3, 0, 100)
    streams = Streams(7, 0)
    later = streams.uniforms(Purpose.SERVICE, 3, 60, 40)
    streams.uniforms(Purpose.ROUTING, 9, 5, 5)
    earlier = streams.uniforms(Purpose.SERVICE, 3, 0, 60)
    assert np.array_equal(whole, np.concatenate([earlier, later]))


def test_streams_differ_by_seed_replication_purpose_and_node() -> None:
    first = {
        float(Streams(seed, replication).uniforms(purpose, node, 0, 1)[0])
        for seed in (1, 2)
        for replication in (0, 1)
        for purpose in Purpose
        for node in range(4)
    }
    assert len(first) == 2 * 2 * len(Purpose) * 4


def test_numbers_stay_inside_the_open_interval() -> None:
    numbers = Streams(1, 0).uniforms(Purpose.SERVICE, 0, 0, 100_000)
    assert numbers.min() > 0
    assert numbers.max() < 1
    assert numbers.mean() == pytest.approx(0.5, abs=0.005)
