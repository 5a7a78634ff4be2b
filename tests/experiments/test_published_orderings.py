"""What studies of real agent systems found comes out of the simulation: which shape of network loses how much."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.simulation.networks import agent, link, mode, network
from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind
from windtunnel.domain.experiments import Estimate, Load
from windtunnel.domain.failures import FailureEffect, FaultUnit, Inject
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.overrides import overridden
from windtunnel.experiments.study import study_of

MODEL_FAULT = FailureEffect(Inject.WRONG_OUTPUT, FaultUnit.MODEL_CALL, 0.1, silent=True, retryable=False)
RETRYABLE = FailureEffect(Inject.ERROR, FaultUnit.MODEL_CALL, 0.1, silent=False, retryable=True)
LOAD = Load(seed=5, replications=20, tasks=200, arrival_rate=0.05)
CHANCE = 0.4


def _with_fault(made: Architecture, chance: float, effect: FailureEffect = MODEL_FAULT) -> Architecture:
    fault = replace(mode(0, effect, targets=[one.key for one in made.agents]), probability=chance)
    return replace(made, failure_modes=(fault,))


def _line() -> Architecture:
    return network([agent(number) for number in range(4)], [link(n, n, n + 1) for n in range(3)])


def _debate() -> Architecture:
    roles = [AgentRole.ROUTER, AgentRole.WORKER, AgentRole.WORKER, AgentRole.WORKER, AgentRole.SPECIALIST]
    links = [link(n, 0, n) for n in (1, 2, 3)] + [link(n + 3, n, 4) for n in (1, 2, 3)]
    return replace(network([agent(n, role=role) for n, role in enumerate(roles)], links), patterns=("debate_voting",))


def _iteration() -> Architecture:
    agents = [agent(0), agent(1, role=AgentRole.CRITIC)]
    return network(agents, [link(0, 0, 1), link(1, 1, 0, LinkKind.FEEDBACK, 0.1)])


def _success(made: Architecture) -> Estimate:
    study = study_of(model_of(made), None, LOAD, probes=False)
    return findings_of(study, conduct(study)).base.success_rate


def success_lost(chance: float) -> Sequence[float]:
    """How much success one fault of the model costs a line, a debate and an iteration."""
    return [
        _success(_with_fault(made, 0.0)).mean - _success(_with_fault(made, chance)).mean
        for made in (_line(), _debate(), _iteration())
    ]


def test_lines_lose_most_then_debates_then_iterations() -> None:
    """AgentChaos, points of success lost by one model fault: line 34 to 49, debate 15 to 25, iteration 7 to 21."""
    line, debate, iteration = success_lost(CHANCE)
    assert 0.34 <= line <= 0.49
    assert 0.15 <= debate <= 0.25
    assert 0.07 <= iteration <= 0.21
    assert line > debate > iteration


@pytest.mark.parametrize("chance", [0.1, 0.6])
def test_the_order_does_not_depend_on_how_strong_the_fault_is(chance: float) -> None:
    line, debate, iteration = success_lost(chance)
    assert line > debate > iteration > 0


def test_retries_multiply_along_layers() -> None:
    """K layers that each try R + 1 times and always fail ask (R + 1) ** K times of the last one; here: the series."""
    base = model_of(_with_fault(_line(), 0.0))
    failing = overridden(base, {"nodes": {"a1": {"failure_probability": 0.5, "max_attempts": 4}}})
    study = study_of(failing, None, LOAD, probes=False)
    (node,) = [node for node in findings_of(study, conduct(study)).base.nodes if node.key == "a1"]
    assert node.attempts / (LOAD.replications * LOAD.tasks) == pytest.approx((1 - 0.5**4) / (1 - 0.5), rel=0.02)


def test_an_error_that_can_be_tried_again_costs_little() -> None:
    line = _with_fault(_line(), CHANCE, RETRYABLE)
    lost = 1 - _success(line).mean
    study = study_of(
        overridden(model_of(line), {"nodes": {f"a{n}": {"max_attempts": 3} for n in range(4)}}),
        None,
        LOAD,
        probes=False,
    )
    retried = 1 - findings_of(study, conduct(study)).base.success_rate.mean
    assert lost == pytest.approx(CHANCE, abs=0.03)
    assert retried < lost / 10
