"""The trained classifier: how likely each orchestration pattern is, from weights that ship as package data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from windtunnel.planning.classifier.features import Floats, features_of, size
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading

WEIGHTS_FILE = "weights.npz"
_WINDOW_WORDS = 90
_WINDOW_WORDS_SOLID = 160


@dataclass(frozen=True, slots=True)
class Weights:
    """`matrix` has one row per pattern; `thresholds` are the probabilities from which a pattern counts as found."""

    patterns: tuple[str, ...]
    matrix: Floats
    bias: Floats
    thresholds: Floats


@cache
def load_weights() -> Weights:
    """The weights that ship with the product. Raises ValueError when they were trained for other features."""
    with files("windtunnel.planning.classifier").joinpath(WEIGHTS_FILE).open("rb") as file, np.load(file) as data:
        weights = Weights(
            patterns=tuple(str(name) for name in data["patterns"]),
            matrix=data["matrix"].astype(np.float32) * data["scale"].astype(np.float32)[:, None],
            bias=data["bias"].astype(np.float32),
            thresholds=data["thresholds"].astype(np.float32),
        )
    if weights.matrix.shape != (len(weights.patterns), size()):
        raise ValueError("The classifier's weights do not fit the lexicon; run training/train_patterns.py.")
    return weights


@lru_cache(maxsize=8)
def probabilities(reading: Reading) -> Mapping[str, float]:
    """The probability of each pattern; of a long text the highest that any of its windows gives."""
    weights = load_weights()
    best = np.zeros(len(weights.patterns), dtype=np.float32)
    for window in windows(reading):
        scores = weights.matrix @ features_of(window) + weights.bias
        best = np.maximum(best, 1 / (1 + np.exp(-scores)))
    return {name: float(value) for name, value in zip(weights.patterns, best, strict=True)}


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
