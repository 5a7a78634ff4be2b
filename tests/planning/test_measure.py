"""The figures of the planner: shares, intervals, and what the same answers score by chance."""

import pytest

from training.measure import Pair, Tally, any_of


def pair(told: str, wanted: str) -> Pair:
    return frozenset(told), frozenset(wanted)


def test_recall_precision_and_chance() -> None:
    counts = Tally(patterns=[pair("ab", "a"), pair("c", "cd"), pair("x", "y")])
    recall, half = counts.recall()
    assert recall == pytest.approx(2 / 4)
    assert 0 < half < 1
    assert counts.precision() == pytest.approx(2 / 4)
    assert counts.by_chance() == 0
    assert counts.named() == pytest.approx(4 / 3)


def test_naming_everything_scores_as_much_by_chance() -> None:
    counts = Tally(patterns=[pair("abc", "a"), pair("abc", "b"), pair("abc", "c")])
    assert counts.recall()[0] == 1
    assert counts.by_chance() == 1


def test_one_expected_tool_is_enough_and_the_interval_holds_the_share() -> None:
    share, low, high, chance = any_of([pair("a", "ab"), pair("c", "d"), pair("e", "e"), pair("f", "f")])
    assert share == 0.75
    assert 0.25 < low < share < high < 1
    assert chance == 0
