"""The compiled kernel repeats the plain loop to the last bit, on every kind of network."""

from dataclasses import fields
from threading import Thread

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.engine import ARRIVALS_PER_MS, workload
from tests.simulation.random_networks import networks
from windtunnel.domain.architectures import ServiceTime
from windtunnel.simulation import core, engine, plain, portable
from windtunnel.simulation.kernel import batch, preparing
from windtunnel.simulation.kernel.compiling import entrance
from windtunnel.simulation.kernel.mathematics import fill_quantiles
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Batch
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, Streams
from windtunnel.simulation.resilience import NodeMode


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    preparing.prepare()


def _differences(one: Batch, other: Batch) -> list[str]:
    return [
        field.name
        for field in fields(Batch)
        if not np.array_equal(getattr(one, field.name), getattr(other, field.name))
    ]


def _compare(network: Network, *, seed: int, tasks: int, arrivals: float, warmup: int = 0, count: int = 2) -> Batch:
    expected, seen = (
        many(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals, first=0, count=count, warmup=warmup)
        for many in (plain.simulate_many, batch.simulate_many)
    )
    assert _differences(expected, seen) == []
    return seen


def test_a_hundred_seeds_give_the_same_bits() -> None:
    network = workload()
    for seed in range(100):
        _compare(network, seed=seed, tasks=200, arrivals=ARRIVALS_PER_MS, warmup=seed, count=1)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks(resilient=False), seed=st.integers(0, 2**64), arrivals=st.sampled_from([1e-4, 0.02, 5.0]))
def test_plain_networks_give_the_same_bits(network: Network, seed: int, arrivals: float) -> None:
    _compare(network, seed=seed, tasks=150, arrivals=arrivals, warmup=seed % 200)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks(resilient=True), seed=st.integers(0, 2**64), arrivals=st.sampled_from([1e-4, 0.02, 5.0]))
def test_resilient_networks_give_the_same_bits(network: Network, seed: int, arrivals: float) -> None:
    seen = _compare(network, seed=seed, tasks=60, arrivals=arrivals, warmup=seed % 80)
    # What must hold on every network besides.
    assert (seen.attempts + seen.short_circuited == seen.visits + seen.retries).all()
    assert (seen.throttled <= seen.failures).all()
    assert (seen.failures <= seen.attempts).all()
    assert (seen.fallback_failures <= seen.fallbacks).all()
    assert (seen.left_ms >= seen.born_ms).all()
    assert not (seen.degraded & ~seen.succeeded).any()
    assert (seen.steps == seen.attempts.sum(axis=1)).all()
    assert (seen.end_ms >= seen.left_ms.max(axis=1)).all()


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks(resilient=True), first=st.integers(0, 5), count=st.integers(0, 5))
def test_replications_do_not_depend_on_their_batch(network: Network, first: int, count: int) -> None:
    many = batch.simulate_many(network, seed=3, tasks=20, arrivals_per_ms=0.01, first=0, count=10)
    some = batch.simulate_many(network, seed=3, tasks=20, arrivals_per_ms=0.01, first=first, count=count)
    assert np.array_equal(some.left_ms, many.left_ms[first : first + count])
    assert np.array_equal(some.wait_ms, many.wait_ms[first : first + count])


def test_no_tasks_and_no_replications_are_possible() -> None:
    assert _compare(workload(), seed=1, tasks=0, arrivals=1.0).steps.tolist() == [0, 0]
    assert _compare(workload(), seed=1, tasks=5, arrivals=1.0, count=0).left_ms.shape == (0, 5)


def test_tokens_that_multiply_without_end_are_refused_by_both() -> None:
    again = Node("again", ServiceTime(1.0), servers=1_000_000, mode=NodeMode.FORK)
    for routes in ([Route("again", "again"), Route("again", "again")], [Route("again", "again")]):
        network = compile_network([again], routes, ["again"])
        for many in (plain.simulate_many, batch.simulate_many):
            with pytest.raises(ValueError, match="multiply without end"):
                many(network, seed=1, tasks=1, arrivals_per_ms=1.0, first=0, count=1)


def test_the_engine_takes_the_kernel_once_it_is_ready() -> None:
    network = workload()
    expected = core.simulate(network, seed=7, tasks=100, arrivals_per_ms=ARRIVALS_PER_MS, replication=4)
    preparing_thread = engine.prepare_kernel()
    if preparing_thread:
        preparing_thread.join()
    assert engine.kernel_ready()
    assert engine.prepare_kernel() is None
    seen = engine.simulate(network, seed=7, tasks=100, arrivals_per_ms=ARRIVALS_PER_MS, replication=4)
    assert seen.nodes == expected.nodes
    assert np.array_equal(seen.left_ms, expected.left_ms)
    assert (seen.steps, seen.end_ms) == (expected.steps, expected.end_ms)


def test_threads_run_at_the_same_time_and_agree() -> None:
    network = workload()
    seen: dict[int, Batch] = {}

    def run(first: int) -> None:
        seen[first] = batch.simulate_many(network, seed=1, tasks=100, arrivals_per_ms=0.01, first=first, count=20)

    threads = [Thread(target=run, args=(first,)) for first in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = batch.simulate_many(network, seed=1, tasks=100, arrivals_per_ms=0.01, first=0, count=60)
    assert np.array_equal(np.concatenate([seen[first].left_ms for first in (0, 20, 40)]), whole.left_ms)


@entrance
def _quantiles(shares: Floats, spare: Floats) -> None:
    fill_quantiles(shares, spare)


def test_service_times_are_drawn_alike_in_the_far_tails() -> None:
    # One number in a hundred thousand million lies where the quantile needs its third approximation.
    shares = np.array([2.0**-54, 1e-15, 1e-12, 0.01, 0.075, 0.5, 0.925, 1 - 1e-12, 1 - 2.0**-53])
    shares = np.concatenate([shares, Streams(1, 1).uniforms(Purpose.SERVICE, 0, 0, 10_000)])
    expected = portable.normal_quantile(shares)
    _quantiles(shares, np.empty_like(shares))
    assert np.array_equal(shares, expected)
