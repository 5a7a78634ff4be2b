"""The rows of an experiment report's tables, and the heat of its nodes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from windtunnel.domain.experiments import Estimate, ExperimentResult, Findings, NodeLoad
from windtunnel.drawing.heat import Heat
from windtunnel.drawing.verdicts import fails, has_latency, is_single_point, spelled
from windtunnel.drawing.whiskers import bars, meter
from windtunnel.drawing.words import pace, share

EXACT_MAX = 12
"""The closed forms of so many nodes, the busiest ones, are shown."""
_DOWN_MAX = 20
_LOSS_LEAST = 0.01
SIDES = ("accent", "variant")
"""The colours of base and variant."""


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """A measure: mean and interval of each side in words, and all of them as a picture."""

    name: str
    cells: list[tuple[str, str]]
    picture: Markup


@dataclass(frozen=True, slots=True)
class NodeRow:
    """An agent or tool under load."""

    node: NodeLoad
    name: str
    level: int
    is_bottleneck: bool
    busy: tuple[str, str]
    wait: tuple[str, str]
    failed: float
    is_single_point: bool
    busy_picture: Markup
    lost_picture: Markup


@dataclass(frozen=True, slots=True)
class ExactRow:
    """What theory says beside what was simulated; `verdict` how the two stand to each other."""

    name: str
    formula: str
    exact: str
    simulated: tuple[str, str]
    verdict: str


def heats_of(result: ExperimentResult) -> dict[str, Heat]:
    """How hot each agent and tool ran, by key."""
    return {
        node.key: Heat(
            node.utilisation.mean, node.wait_ms.mean, fails(node), node.blast_radius, node.key == result.bottleneck
        )
        for node in result.nodes
    }


def estimate_rows(findings: Findings) -> list[EstimateRow]:
    """Every measure that was taken on all sides; latencies share a scale."""
    sides = [one for one in (findings.base, findings.variant) if one is not None]
    times = ("latency_mean_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
    slowest = max(getattr(side, field).high for side in sides for field in times)
    span, seconds = pace(findings.base.throughput_per_s.mean)
    rows = []
    for name, field, unit, top in (
        ("Tasks that succeed", "success_rate", "share", 1.0),
        ("Degraded: saved by a fallback", "degraded_rate", "share", 1.0),
        ("Latency, mean", times[0], "time", slowest),
        ("Latency, median (p50)", times[1], "time", slowest),
        ("Latency, 95th percentile", times[2], "time", slowest),
        ("Latency, 99th percentile", times[3], "time", slowest),
        (f"Tasks done per {span}", "throughput_per_s", "plain", None),
        ("Tokens per task", "tokens_per_task", "plain", None),
        ("Cost per task", "cost_usd_per_task", "usd", None),
    ):
        found: list[Estimate | None] = [getattr(side, field) for side in sides]
        known = [one.times(seconds) if field == "throughput_per_s" else one for one in found if one is not None]
        is_idle = field in {"degraded_rate", "tokens_per_task"} and not any(one.mean for one in known)
        if len(known) < len(sides) or is_idle:
            continue
        cells = [
            ("–", "no task succeeded") if unit == "time" and not has_latency(side) else spelled(one, unit)
            for side, one in zip(sides, known, strict=True)
        ]
        scale = max(one.high for one in known) if top is None else top
        rows.append(EstimateRow(name, cells, bars(list(zip(SIDES, known, strict=False)), scale)))
    return rows


def node_rows(result: ExperimentResult, name: Callable[[str], str]) -> list[NodeRow]:
    """The busiest first."""
    rows = []
    for node in sorted(result.nodes, key=lambda node: (-node.utilisation.mean, node.key)):
        level = Heat(node.utilisation.mean).level
        rows.append(
            NodeRow(
                node,
                name(node.key),
                level,
                node.key == result.bottleneck,
                spelled(node.utilisation, "share"),
                spelled(node.wait_ms, "time"),
                fails(node),
                is_single_point(node, result),
                bars([("accent", node.utilisation)], 1.0),
                meter(node.blast_radius or 0.0, "unrecovered"),
            )
        )
    return rows


def down_rows(result: ExperimentResult, name: Callable[[str], str]) -> list[NodeRow]:
    """Those that take something with them when they are down, the worst first."""
    rows = [row for row in node_rows(result, name) if (row.node.blast_radius or 0.0) >= _LOSS_LEAST]
    return sorted(rows, key=lambda row: (-(row.node.blast_radius or 0.0), row.node.key))[:_DOWN_MAX]


def exact_rows(result: ExperimentResult, name: Callable[[str], str]) -> list[ExactRow]:
    """What has a closed form: success, throughput, latencies, waits and loads; empty when nothing has."""
    exact: dict[str, Any] = dict(result.analytic or {})
    latency: dict[str, float] = exact.get("latency_ms") or {}
    span, seconds = pace(result.throughput_per_s.mean)
    done = exact.get("throughput_per_s")
    rows = []
    for label, value, unit, simulated in (
        ("Tasks that succeed", exact.get("success_rate"), "share", result.success_rate),
        (
            f"Tasks done per {span}",
            None if done is None else done * seconds,
            "plain",
            result.throughput_per_s.times(seconds),
        ),
        ("Latency, mean", latency.get("mean"), "time", result.latency_mean_ms),
        ("Latency, median", latency.get("p50"), "time", result.latency_p50_ms),
        ("Latency, 95th percentile", latency.get("p95"), "time", result.latency_p95_ms),
        ("Latency, 99th percentile", latency.get("p99"), "time", result.latency_p99_ms),
    ):
        if value is not None:
            rows.append(_exact(label, "traffic equations" if unit != "time" else "", value, unit, simulated))
    nodes = {node.key: node for node in result.nodes}
    forms = sorted(exact.get("nodes", ()), key=lambda form: (-form["load"], form["key"]))
    for form in forms[:EXACT_MAX]:
        node = nodes.get(form["key"])
        if node is None:
            continue
        who = name(node.key)
        rows.append(_exact(f"{who}: busy", "traffic equations", min(form["load"], 1.0), "share", node.utilisation))
        if form["wait_ms"] is not None:
            rows.append(_exact(f"{who}: wait", str(form["model"]), form["wait_ms"], "time", node.wait_ms))
    return rows


def _exact(label: str, formula: str, value: float, unit: str, simulated: Estimate) -> ExactRow:
    exact, _ = spelled(Estimate(value, value, value), unit)
    return ExactRow(label, formula, exact, spelled(simulated, unit), _verdict(value, simulated))


def _verdict(exact: float, simulated: Estimate) -> str:
    # Ten digits are kept of everything; a mean without any spread agrees with the same number.
    near = 1e-9 * max(abs(exact), 1.0)
    if simulated.low - near <= exact <= simulated.high + near:
        return "inside the interval"
    if not exact:
        return "outside"
    away = simulated.mean / exact - 1.0
    return f"{share(abs(away))} {'above' if away > 0 else 'below'} the closed form"
