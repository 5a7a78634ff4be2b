"""An experiment as one JSON object: what `windtunnel experiment --json` prints."""

from dataclasses import asdict
from typing import Any

from windtunnel.domain.experiments import Estimate, ExperimentResult, Findings, Load

Json = dict[str, Any]


def as_json(load: Load, findings: Findings, elapsed_s: float) -> Json:
    """Estimates are `{mean, low, high}` (95 %), times milliseconds; `elapsed_s` is the time spent simulating."""
    found = {
        "seed": load.seed,
        "replications": load.replications,
        "tasks": load.tasks,
        "arrival_rate": load.arrival_rate,
        "elapsed_s": round(elapsed_s, 6),
        **_result(findings.base),
    }
    if findings.variant is not None and findings.difference is not None:
        found["variant"] = _result(findings.variant)
        found["difference"] = asdict(findings.difference)
    return found


def _result(result: ExperimentResult) -> Json:
    return {
        "steps": result.steps,
        "warmup_tasks": result.warmup_tasks,
        "throughput_per_s": asdict(result.throughput_per_s),
        "success_rate": asdict(result.success_rate),
        "degraded_rate": asdict(result.degraded_rate),
        "latency_ms": {
            "mean": asdict(result.latency_mean_ms),
            "p50": asdict(result.latency_p50_ms),
            "p95": asdict(result.latency_p95_ms),
            "p99": asdict(result.latency_p99_ms),
        },
        "latencies": [asdict(one) for one in result.latencies],
        "tokens_per_task": asdict(result.tokens_per_task),
        "cost_usd_per_task": _optional(result.cost_usd_per_task),
        "bottleneck": result.bottleneck,
        "nodes": [asdict(node) for node in result.nodes],
        "failure_modes": [asdict(mode) for mode in result.failure_modes],
        "analytic": result.analytic,
        "cautions": [asdict(caution) for caution in result.cautions],
    }


def _optional(estimate: Estimate | None) -> Json | None:
    return None if estimate is None else asdict(estimate)
