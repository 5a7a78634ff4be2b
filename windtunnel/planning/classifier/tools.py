"""Which tools a scenario needs: a classifier of the same kind as that of the patterns, with weights of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from windtunnel.planning.classifier.model import TOOLS_FILE, load_weights, scores_of, seen_in
from windtunnel.planning.reading.reading import Reading

TOLD_MAX = 3
"""No more tools are told of one window: the text speaks of others itself."""


@dataclass(frozen=True, slots=True)
class Guess:
    """`scores` are around 0 to 1, of a long text the highest that any window gives; `told` are the kinds that stand
    out, the surest first, none when nothing does."""

    scores: Mapping[str, float]
    told: tuple[str, ...]


@lru_cache(maxsize=8)
def guess_tools(reading: Reading) -> Guess:
    """The tools that texts like this one need. Sums are of whole numbers: the same on every machine."""
    weights = load_weights(TOOLS_FILE)
    best = dict.fromkeys(weights.names, 0.0)
    told: set[str] = set()
    for features in seen_in(reading):
        scores = dict(zip(weights.names, scores_of(weights, features), strict=True))
        best = {name: max(best[name], score) for name, score in scores.items()}
        told |= set(standing_out(scores, weights.thresholds))
    return Guess(best, tuple(sorted(told, key=lambda name: (-best[name], name))))


def standing_out(scores: Mapping[str, float], thresholds: tuple[float, ...]) -> list[str]:
    """The best few that reach their thresholds, and the best one if it comes half-way; edges stand as the scores do."""
    edges = dict(zip(scores, thresholds, strict=True))
    ranked = sorted(scores, key=lambda name: (-scores[name], name))[:TOLD_MAX]
    return [
        name for place, name in enumerate(ranked) if scores[name] >= (edges[name] / 2 if place == 0 else edges[name])
    ]
