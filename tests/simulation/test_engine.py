"""The door to the core: without the kernel everything works as well, and nobody pays for what is not used."""

import subprocess
import sys

import numpy as np
import pytest

from windtunnel.domain.architectures import ServiceTime
from windtunnel.simulation import core, engine
from windtunnel.simulation.network import Node, Route, compile_network
from windtunnel.simulation.outcome import COLUMNS
from windtunnel.simulation.resilience import Fallback

NODES = [Node("a", ServiceTime(100.0), servers=2), Node("b", ServiceTime(300.0), failure_probability=0.2)]
HELPED = [NODES[0], Node("b", ServiceTime(300.0), failure_probability=0.2, fallback=Fallback(ServiceTime(5.0)))]


@pytest.mark.parametrize("nodes", [NODES, HELPED], ids=["plain", "resilient"])
def test_a_batch_is_as_many_single_outcomes(nodes: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_kernel", [])
    network = compile_network(nodes, [Route("a", "b")], ["a"])
    batch = engine.simulate_many(network, seed=5, tasks=70, arrivals_per_ms=0.002, first=3, count=70)
    for row in range(70):
        alone = core.simulate(network, seed=5, tasks=70, arrivals_per_ms=0.002, replication=3 + row)
        assert np.array_equal(batch.left_ms[row], alone.left_ms)
        assert np.array_equal(batch.succeeded[row], alone.succeeded)
        assert np.array_equal(batch.degraded[row], alone.degraded)
        assert batch.outcome(row, network.keys).nodes == alone.nodes
        assert (batch.steps[row], batch.end_ms[row]) == (alone.steps, alone.end_ms)
    assert (
        engine.simulate(network, seed=5, tasks=70, arrivals_per_ms=0.002, replication=9).nodes
        == batch.outcome(6, network.keys).nodes
    )
    assert {getattr(batch, name).shape for name in COLUMNS} == {(70, 2)}


def test_without_numba_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_kernel", [])
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine.prepare_kernel() is None
    assert not engine.kernel_ready()


def test_numba_is_imported_by_whoever_wants_the_kernel_only() -> None:
    code = "import sys, windtunnel.simulation.engine; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
