"""What an experiment found, in 80 columns: verdicts, numbers with intervals, a plot, loads, risks."""

from collections.abc import Mapping

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.terminal.plots import latency_plot
from windtunnel.domain.experiments import Estimate, ExperimentResult, Findings, Load, NodeLoad
from windtunnel.drawing.risks import ranked, risk_of
from windtunnel.drawing.text import clean
from windtunnel.drawing.verdicts import fails, fine_duration, gaps, has_latency, headline, remarks
from windtunnel.drawing.words import pace, share

BASE, VARIANT = "blue", "yellow"
_BAR = 12
_NAME = 24
_TITLE = 34
_NODES_MAX = 24
_MODES_MAX = 12
_STYLES = {"better": "bold green", "worse": "bold red", "none": "dim"}
_MATTERS = {"bad": "bold red", "warn": "bold yellow", "plain": "bold"}
_HOT, _WARM = 0.85, 0.7


def show(
    console: Console,
    load: Load,
    findings: Findings,
    names: Mapping[str, str] | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Everything that was found, in at most a screen or two.

    `names` are those of agents and tools by key, `titles` those of failure modes by code. Loads go by key: that is what
    a variant calls them.
    """
    called, titled = names or {}, titles or {}
    base, variant = findings.base, findings.variant
    console.print(Text(headline(base), style="bold"))
    console.print(
        Text(
            f"{load.replications:,} replications of {load.tasks:,} tasks, {load.arrival_rate:g} a second, "
            f"seed {load.seed}; ± half of a 95 % interval",
            style="dim",
        )
    )
    if findings.difference is not None:
        _heading(console, "What the variant changes")
        for gap in gaps(findings.difference):
            console.print(Text.assemble(f"{gap.name}: {gap.brief}. ", (gap.sentence, _STYLES[gap.verdict])))
    _heading(console, "What breaks first")
    for remark in remarks(base, lambda key: called.get(key, key), titled):
        console.print(Text.assemble((f"{remark.head}. ", _MATTERS[remark.matters]), remark.body))
    _heading(console, "Under load")
    console.print(_numbers(findings))
    sides = [(base, BASE)] if variant is None else [(base, BASE), (variant, VARIANT)]
    plot = latency_plot(sides)
    if plot:
        _heading(console, "Latency" if variant is None else "Latency: base, then variant")
        for line in plot:
            console.print(line)
    _heading(console, "Load")
    console.print(_loads(base))
    if variant is not None:
        _heading(console, "Load of the variant")
        console.print(_loads(variant))
    console.print(Text("failed: of the attempts, before retries; lost if down: of all tasks, and", style="dim"))
    console.print(Text("what has a fallback goes on with it", style="dim"))
    if base.failure_modes:
        _heading(console, "What may go wrong")
        console.print(_impacts(base, titled))
        console.print(Text("All chances are our estimates, but those that are calibrated. Published and", style="dim"))
        console.print(Text("secondary say that sources know the failure; the report cites them.", style="dim"))


def _heading(console: Console, words: str) -> None:
    console.print()
    console.print(Text(words, style="bold underline" if console.is_terminal else "bold"))


def _grid(*columns: tuple[str, str]) -> Table:
    """A table without lines; columns by head and l or r."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head, side in columns:
        table.add_column(head, justify="right" if side == "r" else "left", no_wrap=True)
    return table


def _numbers(findings: Findings) -> Table:
    base, variant = findings.base, findings.variant
    sides = [base] if variant is None else [base, variant]
    heads = [("", "l"), ("mean" if variant is None else "base", "r")]
    table = _grid(*heads) if variant is None else _grid(*heads, ("variant", "r"))
    span, seconds = pace(base.throughput_per_s.mean)
    for name, field, unit in (
        ("tasks that succeed", "success_rate", "share"),
        ("degraded, by a fallback", "degraded_rate", "share"),
        ("latency, mean", "latency_mean_ms", "time"),
        ("latency, median", "latency_p50_ms", "time"),
        ("latency, 95th percentile", "latency_p95_ms", "time"),
        ("latency, 99th percentile", "latency_p99_ms", "time"),
        (f"tasks done per {span}", "throughput_per_s", "plain"),
        ("tokens per task", "tokens_per_task", "plain"),
        ("USD per task", "cost_usd_per_task", "plain"),
    ):
        values: list[Estimate | None] = [getattr(side, field) for side in sides]
        is_idle = field in {"degraded_rate", "tokens_per_task"} and not any(one.mean for one in values if one)
        if is_idle or None in values:
            continue
        cells = [
            "-"
            if unit == "time" and not has_latency(side)
            else _spelled(value.times(seconds) if field == "throughput_per_s" else value, unit)
            for side, value in zip(sides, values, strict=True)
            if value is not None
        ]
        table.add_row(name, *cells)
    return table


def _loads(result: ExperimentResult) -> Table:
    table = _grid(("", "l"), ("busy", "r"), ("", "l"), ("wait", "r"), ("failed", "r"), ("lost if down", "r"))
    nodes = sorted(result.nodes, key=lambda node: (-node.utilisation.mean, node.key))
    for node in nodes[:_NODES_MAX]:
        table.add_row(
            _cut(node.key),
            f"{node.utilisation.mean:.0%}",
            _bar(node),
            fine_duration(node.wait_ms.mean),
            f"{fails(node):.1%}" if node.attempts else "",
            "" if node.blast_radius is None else f"{node.blast_radius:.0%}",
        )
    if len(nodes) > _NODES_MAX:
        table.add_row(f"and {len(nodes) - _NODES_MAX} with less load")
    return table


def _bar(node: NodeLoad) -> Text:
    busy = min(1.0, node.utilisation.mean)
    filled = round(busy * _BAR)
    style = "red" if busy >= _HOT else "yellow" if busy >= _WARM else "green"
    return Text("█" * filled, style=style) + Text("░" * (_BAR - filled), style="dim")


def _impacts(result: ExperimentResult, titles: Mapping[str, str]) -> Table:
    table = _grid(("", "l"), ("chance", "r"), ("lost then", "r"), ("in all", "r"), ("source", "l"))
    modes = ranked(result.failure_modes)
    for mode in modes[:_MODES_MAX]:
        table.add_row(
            _cut(titles.get(mode.code, mode.code), _TITLE),
            share(mode.probability),
            share(mode.impact),
            share(risk_of(mode)),
            _cut(mode.provenance.partition(":")[0], 12),
        )
    if len(modes) > _MODES_MAX:
        table.add_row(f"and {len(modes) - _MODES_MAX} that cost less")
    return table


def _cut(words: str, wide: int = _NAME) -> Text:
    shown = clean(words)
    return Text(shown if cell_len(shown) <= wide else set_cell_size(shown, wide - 1).rstrip() + "…")


def _spelled(value: Estimate, unit: str) -> str:
    if unit == "share":
        return f"{value.mean * 100:.2f} ± {value.half_width * 100:.2f} %"
    if unit == "time":
        return f"{fine_duration(value.mean)} ± {fine_duration(value.half_width)}"
    return f"{_digits(value.mean, 4)} ± {_digits(value.half_width, 2)}"


def _digits(value: float, digits: int) -> str:
    """So many digits, and never a power of ten."""
    return f"{value:,.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"
