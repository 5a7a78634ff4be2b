"""The trained classifiers: how likely each orchestration pattern is, from weights that ship as package data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from windtunnel.planning.classifier.features import SCALE, features_of, size
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading

WEIGHTS_FILE = "weights.npz"
TOOLS_FILE = "tools.npz"
_WINDOW_WORDS = 90
_WINDOW_WORDS_SOLID = 160


@dataclass(frozen=True, slots=True)
class Weights:
    """`matrix` has one row of whole numbers per name (of a pattern or a tool), in units of `scale`; from `thresholds`
    on it counts."""

    names: tuple[str, ...]
    matrix: NDArray[np.int8]
    scale: tuple[float, ...]
    bias: tuple[float, ...]
    thresholds: tuple[float, ...]


@cache
def load_weights(name: str = WEIGHTS_FILE) -> Weights:
    """The weights that ship with the product. Raises ValueError when they were trained for other features."""
    with files("windtunnel.planning.classifier").joinpath(name).open("rb") as file, np.load(file) as data:
        weights = Weights(
            names=tuple(str(name) for name in data["names"]),
            matrix=data["matrix"],
            scale=tuple(float(value) for value in data["scale"]),
            bias=tuple(float(value) for value in data["bias"]),
            thresholds=tuple(float(value) for value in data["thresholds"]),
        )
    if weights.matrix.shape != (len(weights.names), size()):
        raise ValueError(
            "The classifier's weights do not fit the lexicon; run training.train_patterns and training.train_tools."
        )
    return weights


@lru_cache(maxsize=8)
def probabilities(reading: Reading) -> Mapping[str, float]:
    """The probability of each pattern; of a long text the highest that any of its windows gives."""
    weights = load_weights()
    best = [0.0] * len(weights.names)
    for features in seen_in(reading):
        best = [max(before, now) for before, now in zip(best, scores_of(weights, features), strict=True)]
    return {name: min(1.0, value) for name, value in zip(weights.names, best, strict=True)}


@lru_cache(maxsize=8)
def seen_in(reading: Reading) -> tuple[Mapping[int, int], ...]:
    """The features of each window, made once for all classifiers."""
    return tuple(features_of(window) for window in windows(reading))


def scores_of(weights: Weights, features: Mapping[int, int]) -> list[float]:
    """The scores of some features, around 0 to 1. Sums are of whole numbers: the same on every machine."""
    columns = np.fromiter(features.keys(), dtype=np.int64, count=len(features))
    values = np.fromiter(features.values(), dtype=np.int64, count=len(features))
    sums = (weights.matrix[:, columns].astype(np.int64) * values).sum(axis=1)
    return [
        int(total) * scale / SCALE + bias for total, scale, bias in zip(sums, weights.scale, weights.bias, strict=True)
    ]


def windows(reading: Reading) -> Iterator[tuple[Clause, ...]]:
    """The clauses in runs of about a paragraph; a text that was said before is not looked at again."""
    run: list[Clause] = []
    weight = 0
    seen: set[str] = set()
    for clause in reading.clauses:
        if clause.text in seen:
            continue
        seen.add(clause.text)
        run.append(clause)
        weight += sum(len(word.form) if word.solid else 1 for word in clause.words)
        if weight >= (_WINDOW_WORDS_SOLID if any(word.solid for word in clause.words) else _WINDOW_WORDS):
            yield tuple(run)
            run, weight = [], 0
    if run or not seen:
        yield tuple(run)
