"""Latencies as a plot of block characters, on a logarithmic axis."""

from collections.abc import Sequence

from rich.text import Text

from windtunnel.domain.experiments import ExperimentResult, LatencyBin
from windtunnel.drawing.axes import LogAxis

WIDE, HIGH = 64, 6
_MARGIN = 7
_BLOCKS = " ▁▂▃▄▅▆▇█"


def latency_plot(sides: Sequence[tuple[ExperimentResult, str]]) -> list[Text]:
    """The distribution of each side (with its style) over one axis; nothing when no task succeeded."""
    shown = [(result.latencies, style) for result, style in sides if result.latencies]
    if not shown:
        return []
    every = [one for bins, _ in shown for one in bins]
    low = min(one.from_ms or one.to_ms / 1.12 for one in every)
    high = max(one.to_ms for one in every)
    columns = min(WIDE, 2 * len({one.to_ms for one in every}))
    axis = LogAxis(low, high, 0.0, float(columns))
    lines: list[Text] = []
    plots = [(_columns(bins, axis, columns), style) for bins, style in shown]
    most = max(max(shares) for shares, _ in plots)
    for shares, style in plots:
        for row in reversed(range(HIGH)):
            label = f"{most:.0%}" if row == HIGH - 1 else ""
            cells = "".join(_block(share / most * HIGH - row) for share in shares)
            lines.append(Text(f"{label:>{_MARGIN - 1}} ") + Text(cells.rstrip(), style=style))
        lines.append(Text(" " * _MARGIN + "─" * columns, style="dim"))
    lines.append(Text(_labels(axis, columns), style="dim"))
    return lines


def _columns(bins: Sequence[LatencyBin], axis: LogAxis, columns: int) -> list[float]:
    """The share of tasks in each column; a bin that covers several is spread over them."""
    total = sum(one.tasks for one in bins)
    shares = [0.0] * columns
    for one in bins:
        first, last = axis.at(one.from_ms or axis.low), axis.at(one.to_ms)
        for column in range(int(first), min(columns, int(last) + 1)):
            part = min(last, column + 1) - max(first, column)
            if part > 0:
                shares[column] += one.tasks / total * part / (last - first)
    return shares


def _block(height: float) -> str:
    return _BLOCKS[round(min(max(height, 0.0), 1.0) * 8)]


def _labels(axis: LogAxis, columns: int) -> str:
    line = [" "] * (_MARGIN + columns + 8)
    free = 0
    for place, words in axis.time_ticks(room=10.0):
        at = max(_MARGIN + int(place) - len(words) // 2, 0)
        if at >= free and at + len(words) <= len(line):
            line[at : at + len(words)] = words
            free = at + len(words) + 2
    return "".join(line).rstrip()
