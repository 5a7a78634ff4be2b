"""What an experiment found, for a person to read: numbers with intervals, loads as bars, and what breaks first."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from windtunnel.domain.experiments import Estimate, ExperimentResult, Findings, Load, NodeLoad
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import duration

_BAR = 20
_ROWS_MAX = 30


def show(console: Console, load: Load, findings: Findings) -> None:
    """Everything that was found, in at most a screen or two."""
    base, variant = findings.base, findings.variant
    console.print(
        Text(
            f"{load.replications:,} replications of {load.tasks:,} tasks, {load.arrival_rate:g} a second, "
            f"seed {load.seed}; ± is half of the 95 % interval.",
            style="dim",
        )
    )
    console.print(_numbers(findings))
    console.print(_loads(base, "Load"))
    if variant is not None:
        console.print(_loads(variant, "Load of the variant"))
    if base.failure_modes:
        console.print(_impacts(base))
    for line in _remarks(base):
        console.print(Text(line))


def _numbers(findings: Findings) -> Table:
    table = Table(title="Under load", title_justify="left", box=None, pad_edge=False)
    table.add_column("measure")
    table.add_column("base", justify="right")
    sides = [findings.base]
    if findings.variant is not None:
        table.add_column("variant", justify="right")
        table.add_column("variant - base", justify="right")
        sides.append(findings.variant)
    gaps: dict[str, Estimate | None] = {}
    if (difference := findings.difference) is not None:
        gaps = {
            "success": difference.success_rate,
            "p95": difference.latency_p95_ms,
            "cost": difference.cost_usd_per_task,
        }
    rows: list[tuple[str, list[Estimate | None], str, Estimate | None]] = [
        ("success", [one.success_rate for one in sides], "share", gaps.get("success")),
        ("degraded", [one.degraded_rate for one in sides], "share", None),
        ("latency, mean", [one.latency_mean_ms for one in sides], "time", None),
        ("latency, median", [one.latency_p50_ms for one in sides], "time", None),
        (
            "latency, 95th percentile",
            [one.latency_p95_ms for one in sides],
            "time",
            gaps.get("p95"),
        ),
        ("latency, 99th percentile", [one.latency_p99_ms for one in sides], "time", None),
        ("tasks done per second", [one.throughput_per_s for one in sides], "plain", None),
        ("tokens per task", [one.tokens_per_task for one in sides], "plain", None),
        (
            "USD per task",
            [one.cost_usd_per_task for one in sides],
            "plain",
            gaps.get("cost"),
        ),
    ]
    for name, values, unit, gap in rows:
        cells = [_spelled(value, unit) for value in values if value is not None]
        if len(cells) < len(sides):
            continue
        if findings.variant is not None:
            cells.append("" if gap is None else _spelled(gap, unit, signed=True))
        table.add_row(name, *cells)
    return table


def _loads(result: ExperimentResult, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("agent or tool", "utilisation", "", "wait per visit", "attempts", "failed", "lost if down"):
        table.add_column(name, justify="left" if name in {"agent or tool", ""} else "right")
    nodes = sorted(result.nodes, key=lambda node: -node.utilisation.mean)
    for node in nodes[:_ROWS_MAX]:
        table.add_row(
            Text(clean(node.key)),
            f"{node.utilisation.mean:.0%}",
            _bar(node, result.bottleneck),
            duration(node.wait_ms.mean),
            f"{node.attempts:,}",
            f"{node.failures / node.attempts:.1%}" if node.attempts else "",
            "" if node.blast_radius is None else f"{node.blast_radius:.0%}",
        )
    if len(nodes) > _ROWS_MAX:
        table.add_row(f"... and {len(nodes) - _ROWS_MAX} with less load")
    return table


def _bar(node: NodeLoad, bottleneck: str | None) -> Text:
    filled = round(min(1.0, node.utilisation.mean) * _BAR)
    style = "red" if node.key == bottleneck and node.utilisation.mean > 0.8 else "green"
    return Text("█" * filled, style=style) + Text("·" * (_BAR - filled), style="dim")


def _impacts(result: ExperimentResult) -> Table:
    table = Table(title="What may go wrong", title_justify="left", box=None, pad_edge=False)
    for name in ("failure mode", "chance per task", "success lost then", "chance x loss", "source of the chance"):
        table.add_column(name, justify="left" if name in {"failure mode", "source of the chance"} else "right")
    for mode in sorted(result.failure_modes, key=lambda mode: -mode.probability * mode.impact):
        table.add_row(
            mode.code,
            f"{mode.probability:.1%}",
            f"{mode.impact:.0%}",
            f"{mode.probability * mode.impact:.2%}",
            Text(clean(mode.provenance)),
        )
    return table


def _remarks(result: ExperimentResult) -> Sequence[str]:
    lines = []
    single = [node.key for node in result.nodes if node.blast_radius is not None and node.blast_radius > 0.5]
    if result.bottleneck is not None:
        lines.append(f"Bottleneck: {clean(result.bottleneck)}.")
    if single:
        lines.append(f"Single points of failure (more than half of the success is lost): {clean(', '.join(single))}.")
    unstable = (result.analytic or {}).get("unstable") or []
    if unstable:
        names = clean(", ".join(unstable))
        lines.append(f"More work comes than can be done at: {names}. Queues grow for as long as the load lasts.")
    return lines


def _spelled(value: Estimate, unit: str, *, signed: bool = False) -> str:
    sign = "+" if signed and value.mean > 0 else ""
    half = value.half_width
    if unit == "share":
        points = " points" if signed else " %"
        return f"{sign}{value.mean * 100:.2f} ± {half * 100:.2f}{points}"
    if unit == "time":
        shown = duration(abs(value.mean))
        return f"{'-' if value.mean < 0 else sign}{shown} ± {duration(half)}"
    return f"{sign}{value.mean:,.4g} ± {half:,.2g}"
