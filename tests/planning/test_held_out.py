"""Texts that the planner was never tuned on, by another author; see docs/planning.md for the figures."""

import json
from pathlib import Path
from typing import Any

from tests.planning.steps import Steps
from windtunnel.domain.networks import validate
from windtunnel.planning import offline_planner

FILE = Path(__file__).with_name("held_out.jsonl")


async def test_held_out_texts() -> None:
    rows: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text("utf-8").splitlines() if line.strip()]
    expected = [set(row["patterns"]) for row in rows]
    answered = []
    for row in rows:
        architecture = (await offline_planner().plan(row["text"], Steps())).architecture
        assert validate(architecture) == []
        answered.append(set(architecture.patterns))
    total = sum(len(names) for names in expected)
    recall = sum(len(told & names) for told, names in zip(answered, expected, strict=True)) / total
    pairs = [(told, names) for at, told in enumerate(answered) for other, names in enumerate(expected) if at != other]
    by_chance = sum(len(told & names) for told, names in pairs) / sum(len(names) for _, names in pairs)
    assert recall >= 0.5
    assert recall - by_chance >= 0.2, "naming everything does not count"
    assert max(len(names) for names in answered) <= 5
