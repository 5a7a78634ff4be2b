"""Prints the figures of docs/planning.md: recall and precision of the built-in planner, and its speed.

Run with `python -m training.measure`.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
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

TESTS = Path(__file__).parent.parent / "tests" / "planning"
TYPICAL = (
    "Customers e-mail us about billing problems, bugs and feature ideas. Incoming messages go to the right specialist, "
    "who looks the customer up, fixes the issue or issues a refund. Refunds over 200 euros need a manager to sign off."
)


@dataclass(slots=True)
class Tally:
    """Counts over a set of texts."""

    answered: list[frozenset[str]] = field(default_factory=list)
    expected: list[frozenset[str]] = field(default_factory=list)
    valid: int = 0
    tools: list[bool] = field(default_factory=list)
    failures: list[bool] = field(default_factory=list)

    def recall(self) -> float:
        """Share of the expected patterns that were named."""
        return self._hits() / max(1, sum(map(len, self.expected)))

    def precision(self) -> float:
        """Share of the named patterns that were expected."""
        return self._hits() / max(1, sum(map(len, self.answered)))

    def by_chance(self) -> float:
        """Recall of the same answers scored against the other texts."""
        pairs = [
            (told, names)
            for at, told in enumerate(self.answered)
            for other, names in enumerate(self.expected)
            if at != other
        ]
        return sum(len(told & names) for told, names in pairs) / max(1, sum(len(names) for _, names in pairs))

    def _hits(self) -> int:
        return sum(len(told & names) for told, names in zip(self.answered, self.expected, strict=True))


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
        counts.answered.append(frozenset(architecture.patterns))
        counts.expected.append(frozenset(row["patterns"]))
        if row.get("tools_any"):
            counts.tools.append(bool({tool.kind for tool in architecture.tools} & set(row["tools_any"])))
        if row.get("failures_any"):
            codes = {mode.code for mode in architecture.failure_modes}
            counts.failures.append(bool(codes & set(row["failures_any"])))
    return counts


def line(title: str, counts: Tally) -> str:
    """A row of the table."""
    named = sum(map(len, counts.answered)) / max(1, len(counts.answered))

    def share(found: Sequence[bool]) -> str:
        return f"{sum(found) / len(found):.0%}" if found else "-"

    return (
        f"| {title} | {len(counts.answered)} | {counts.valid / max(1, len(counts.answered)):.0%} "
        f"| {counts.recall():.0%} | {counts.precision():.0%} | {counts.by_chance():.0%} | {named:.1f} "
        f"| {share(counts.tools)} | {share(counts.failures)} |\n"
    )


async def speed(text: str, runs: int) -> float:
    """Median milliseconds of a plan, each of a text that was not read before."""
    took = []
    for number in range(runs):
        read.cache_clear()
        started = time.perf_counter()
        await plan(f"{text} {number}")
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


async def main() -> None:
    """Print everything."""
    out = sys.stdout.write
    out("| texts | number | valid | recall | precision | recall by chance | patterns named | tools | failure modes |\n")
    out("|---|---|---|---|---|---|---|---|---|\n")
    examples = [row for row in rows_of(TESTS / "scenarios.jsonl") if "error" not in row]
    out(line("example scenarios (tuned on)", await tally(examples)))
    out(line("own texts kept out of training", await tally(texts("test"))))
    held_out = rows_of(TESTS / "held_out.jsonl")
    if held_out:
        out(line("held-out texts by another author", await tally(held_out)))
        out(line("of these: English", await tally(row for row in held_out if row["lang"] == "en")))
        out(line("of these: the seven other full languages", await tally(_in(held_out, FULL[1:]))))
        partial = [row for row in held_out if row["lang"] not in FULL]
        out(line("of these: languages read in part", await tally(partial)))
    out(f"\nA typical text ({len(TYPICAL)} characters): {await speed(TYPICAL, 30):.0f} ms\n")
    long = " ".join(f"Agent {number} checks invoice {number} and a manager approves it." for number in range(400))[
        :20_000
    ]
    out(f"A text of {len(long):,} characters: {await speed(long[:-4], 3):.0f} ms\n")


def _in(rows: Iterable[dict[str, Any]], languages: Sequence[str]) -> list[dict[str, Any]]:
    return [row for row in rows if row["lang"] in languages]


if __name__ == "__main__":
    warm_up()
    asyncio.run(main())
