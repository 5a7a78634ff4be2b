"""Texts that the planner was never tuned on, by another author; see docs/planning.md for the figures."""

from pathlib import Path

from training.measure import any_of, tally
from training.texts import rows_of

FILE = Path(__file__).with_name("held_out.jsonl")


async def test_held_out_texts() -> None:
    rows = rows_of(FILE)
    counts = await tally(rows)
    assert len(rows) > 100
    assert counts.valid == len(rows)
    recall, half = counts.recall()
    assert recall >= 0.8
    assert half < 0.1
    assert recall - counts.by_chance() >= 0.2, "naming everything does not count"
    assert counts.named() <= 3
    assert max(len(told) for told, _ in counts.patterns) <= 5
    tools, _, _, tools_by_chance = any_of(counts.tools)
    assert tools >= 0.8
    assert tools - tools_by_chance >= 0.2
    failures, _, _, failures_by_chance = any_of(counts.failures)
    assert failures >= 0.8
    assert failures - failures_by_chance >= 0.1
