"""Prints the figures of docs/planning.md: recall and precision of the built-in planner, and its speed.

Run with `python -m training.measure`.
"""

import asyncio
import math
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.texts import rows_of, texts
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import PlannerStep
from windtunnel.planning import offline_planner, warm_up
from windtunnel.planning.reading.lexicon import FULL
from windtunnel.planning.reading.reading import read

Pair = tuple[frozenset[str], frozenset[str]]
"""What was answered, and what was expected."""

Z = 1.96

TESTS = Path(__file__).parent.parent / "tests" / "planning"
TYPICAL = (
    "Customers e-mail us about billing problems, bugs and feature ideas. Incoming messages go to the right specialist, "
    "who looks the customer up, fixes the issue or issues a refund. Refunds over 200 euros need a manager to sign off."
)


@dataclass(slots=True)
class Tally:
    """Counts over a set of texts: what was answered and what was expected, by kind."""

    valid: int = 0
    patterns: list[Pair] = field(default_factory=list)
    tools: list[Pair] = field(default_factory=list)
    failures: list[Pair] = field(default_factory=list)

    def recall(self) -> tuple[float, float]:
        """Share of the expected patterns that were named, and half the width of its 95 % interval.

        Patterns of one text hang together, so the interval is that of a ratio over texts.
        """
        expected = sum(len(wanted) for _, wanted in self.patterns)
        share = self._hits() / max(1, expected)
        number = len(self.patterns)
        spread = sum((len(told & wanted) - share * len(wanted)) ** 2 for told, wanted in self.patterns)
        return share, Z * math.sqrt(spread * number / max(1, number - 1)) / max(1, expected)

    def precision(self) -> float:
        """Share of the named patterns that were expected."""
        return self._hits() / max(1, sum(len(told) for told, _ in self.patterns))

    def by_chance(self) -> float:
        """Recall of the same answers scored against the other texts."""
        pairs = [(told, wanted) for told, wanted in _against_others(self.patterns)]
        return sum(len(told & wanted) for told, wanted in pairs) / max(1, sum(len(wanted) for _, wanted in pairs))

    def named(self) -> float:
        """How many patterns are named per text."""
        return sum(len(told) for told, _ in self.patterns) / max(1, len(self.patterns))

    def _hits(self) -> int:
        return sum(len(told & wanted) for told, wanted in self.patterns)


def _against_others(pairs: Sequence[Pair]) -> Iterator[Pair]:
    for at, (told, _) in enumerate(pairs):
        for other, (_, wanted) in enumerate(pairs):
            if at != other:
                yield told, wanted


def any_of(pairs: Sequence[Pair]) -> tuple[float, float, float, float]:
    """Share of texts for which at least one expected one was named, its 95 % interval (Wilson), and that share when
    the same answers are scored against the other texts."""
    number = len(pairs)
    share = sum(not told.isdisjoint(wanted) for told, wanted in pairs) / number
    others = [not told.isdisjoint(wanted) for told, wanted in _against_others(pairs)]
    middle = (share + Z**2 / (2 * number)) / (1 + Z**2 / number)
    half = Z * math.sqrt(share * (1 - share) / number + Z**2 / (4 * number**2)) / (1 + Z**2 / number)
    return share, middle - half, middle + half, sum(others) / max(1, len(others))


async def plan(text: str) -> Architecture:
    """Plan without listening."""

    async def ignore(_: PlannerStep) -> None:
        return None

    return (await offline_planner().plan(text, ignore)).architecture


async def tally(rows: Iterable[dict[str, Any]]) -> Tally:
    """Plan every text and count."""
    counts = Tally()
    for row in rows:
        architecture = await plan(row["text"])
        counts.valid += not validate(architecture)
        counts.patterns.append((frozenset(architecture.patterns), frozenset(row["patterns"])))
        if row.get("tools_any"):
            counts.tools.append((frozenset(tool.kind for tool in architecture.tools), frozenset(row["tools_any"])))
        if row.get("failures_any"):
            codes = frozenset(mode.code for mode in architecture.failure_modes)
            counts.failures.append((codes, frozenset(row["failures_any"])))
    return counts


def line(title: str, counts: Tally) -> str:
    """A row of the table; shares in percent, with 95 % intervals where the figure is a target."""
    number = len(counts.patterns)
    recall, half = counts.recall()

    def share(pairs: Sequence[Pair]) -> str:
        if not pairs:
            return "- | -"
        told, low, high, chance = any_of(pairs)
        return f"{told:.0%} ({low:.0%} to {high:.0%}) | {chance:.0%}"

    return (
        f"| {title} | {number} | {counts.valid / max(1, number):.0%} "
        f"| {recall:.0%} ({max(0.0, recall - half):.0%} to {min(1.0, recall + half):.0%}) | {counts.by_chance():.0%} "
        f"| {counts.precision():.0%} | {counts.named():.1f} | {share(counts.tools)} | {share(counts.failures)} |\n"
    )


async def speed(text: str, runs: int) -> float:
    """Median milliseconds of processor time of a plan, each of a text that was not read before."""
    took = []
    for number in range(runs):
        read.cache_clear()
        started = time.process_time()
        await plan(f"{text} {number}")
        took.append((time.process_time() - started) * 1000)
    return statistics.median(took)


async def main() -> None:
    """Print everything."""
    out = sys.stdout.write
    heads = "number | valid | recall | by chance | precision | named | tools | by chance | failure modes | by chance"
    out(f"| texts | {heads} |\n")
    out("|---|---|---|---|---|---|---|---|---|---|---|\n")
    examples = [row for row in rows_of(TESTS / "scenarios.jsonl") if "error" not in row]
    out(line("example scenarios (tuned on)", await tally(examples)))
    kept = texts("test")
    out(line("own texts kept out of training", await tally(kept)))
    held_out = rows_of(TESTS / "held_out.jsonl")
    if held_out:
        out(line("held-out texts by another author", await tally(held_out)))
        out(line("of these: the seven full languages besides English", await tally(_in(held_out, FULL[1:]))))
        out(line("of these: languages read in part", await tally(row for row in held_out if row["lang"] not in FULL)))
    for language in FULL:
        out(line(f"`{language}`, held out", await tally(_in(held_out, [language]))))
    for language in FULL:
        out(line(f"`{language}`, own kept out", await tally(_in(kept, [language]))))
    out(f"\nA typical text ({len(TYPICAL)} characters): {await speed(TYPICAL, 30):.0f} ms of processor time\n")
    long = " ".join(f"Agent {number} checks invoice {number} and a manager approves it." for number in range(400))[
        :20_000
    ]
    out(f"A text of {len(long):,} characters: {await speed(long[:-4], 3):.0f} ms of processor time\n")


def _in(rows: Iterable[dict[str, Any]], languages: Sequence[str]) -> list[dict[str, Any]]:
    return [row for row in rows if row["lang"] in languages]


if __name__ == "__main__":
    warm_up()
    asyncio.run(main())
