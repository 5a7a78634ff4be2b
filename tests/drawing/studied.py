"""Experiments as if they had been conducted, for pictures of them."""

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.experiments import (
    Caution,
    Estimate,
    ExperimentDifference,
    ExperimentResult,
    FailureImpact,
    Findings,
    LatencyBin,
    Load,
    NodeLoad,
)
from windtunnel.drawing.experiment_report import Studied

NOTHING = Estimate(0.0, 0.0, 0.0)


def around(mean: float, half: float = 0.01) -> Estimate:
    """An estimate whose interval is `half` of its mean to each side."""
    return Estimate(mean, mean * (1 - half), mean * (1 + half))


def loaded(key: str, busy: float, lost: float | None = 0.0, failures: int = 20) -> NodeLoad:
    """An agent or tool that was busy for a share of the time."""
    return NodeLoad(key, around(busy), around(250.0), 1_000, failures, 60, throttled=3, blast_radius=lost)


def result(architecture: Architecture, *, busiest: float = 0.97, provenance: str = "prior: ours") -> ExperimentResult:
    """What one side measured: agents in their order from the busiest down, tools at rest."""
    nodes = [
        loaded(agent.key, busiest * 0.8**place, 0.9 - place / 10) for place, agent in enumerate(architecture.agents)
    ]
    nodes += [loaded(tool.key, 0.01) for tool in architecture.tools]
    return ExperimentResult(
        success_rate=around(0.9),
        latency_mean_ms=around(2_100.0),
        latency_p50_ms=around(2_000.0),
        latency_p95_ms=around(4_500.0),
        latency_p99_ms=around(6_000.0),
        throughput_per_s=around(4.7),
        cost_usd_per_task=around(0.02),
        tokens_per_task=around(5_000.0),
        degraded_rate=around(0.05),
        nodes=tuple(nodes),
        analytic={
            "success_rate": 0.9,
            "throughput_per_s": 5.0,
            "latency_ms": {"mean": 2_200.0},
            "nodes": [
                {"key": nodes[0].key, "load": 1.1, "attempts_per_visit": 1.0, "model": "M/M/1", "wait_ms": 250.0}
            ],
            "unstable": [nodes[0].key],
        },
        failure_modes=(
            FailureImpact("tool_api_timeout", 0.2, 0.5, provenance),
            FailureImpact("tool_wrong_selection", 0.001, 0.0, provenance),
        ),
        bottleneck=nodes[0].key,
        steps=12_345,
        warmup_tasks=1,
        cautions=(Caution("Too much work", "More work comes to some than can be done there."),),
        latencies=tuple(LatencyBin(500.0 * 1.5**n, 500.0 * 1.5 ** (n + 1), 10 * (6 - n)) for n in range(6)),
    )


def studied(
    architecture: Architecture, difference: ExperimentDifference | None = None, label: str = "Busy?"
) -> Studied:
    """An experiment, compared with a variant when a difference is given."""
    other = result(architecture, busiest=0.6) if difference else None
    return Studied(
        title=label,
        text=label,
        architecture=architecture,
        load=Load(7, 100, 300, 5.0),
        findings=Findings(result(architecture, provenance=label), other, difference),
        command=f"windtunnel experiment {label}",
        other=architecture if difference else None,
        changes=(label,) if difference else (),
    )
