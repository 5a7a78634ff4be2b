"""Durations as people say them in stories and logs."""

import pytest

from windtunnel.simulation.words import spell


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"),
        (999.6, "1 s"),
        (2_434, "2.43 s"),
        (59_960, "1 min"),
        (61_000, "1 min 1 s"),
        (8_748_000, "2 h 25 min"),
        (100_000_000, "1 d 3 h"),
    ],
)
def test_a_duration_has_at_most_two_units(milliseconds: float, said: str) -> None:
    assert spell(milliseconds) == said
