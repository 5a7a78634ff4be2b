"""Trains the pattern classifier on the labelled texts and writes its weights into the package.

Run with `python -m training.train_patterns`; under a minute on one core. Rows of the part `test` are used for nothing
but the last figure. Thresholds are chosen on guesses by models that saw no text of the same author.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.texts import texts
from windtunnel.knowledge import load_book
from windtunnel.planning.classifier import model
from windtunnel.planning.classifier.features import SCALE, features_of, size
from windtunnel.planning.reading.reading import look

Floats = NDArray[np.float64]

TARGET = Path(model.__file__).with_name(model.WEIGHTS_FILE)
RIDGE = 1.5
RECALL_WEIGHT = 1.6
"""Recall counts so many times as much as precision when a threshold is chosen."""
USUAL = 0.3
"""The threshold that all are drawn half-way to."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Feature rows, target rows, and who wrote each text."""

    features: NDArray[np.float32]
    targets: Floats
    authors: Sequence[str]


def load(split: str, patterns: Sequence[str]) -> Examples:
    """The texts of a part."""
    rows = texts(split)
    features = np.zeros((len(rows), size()), dtype=np.float32)
    for index, row in enumerate(rows):
        found = features_of(look(row["text"]).clauses)
        features[index, list(found)] = np.array(list(found.values()), dtype=np.float32) / SCALE
    targets = np.array([[float(name in row["patterns"]) for name in patterns] for row in rows])
    return Examples(features, targets, [row["author"] for row in rows])


def solve(kernel: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Ridge regression, all patterns at once, in the space of the texts: there are far fewer texts than features.

    Returns how much each text counts, and the shares that are added.
    """
    shares = targets.mean(axis=0)
    return np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), targets - shares), shares


def by_strangers(kernel: Floats, examples: Examples) -> Floats:
    """Each row guessed by a model that saw no text of its author."""
    found = np.zeros_like(examples.targets)
    authors = np.array(examples.authors)
    for author in dict.fromkeys(examples.authors):
        others, own = np.flatnonzero(authors != author), np.flatnonzero(authors == author)
        mix, shares = solve(kernel[np.ix_(others, others)], examples.targets[others])
        found[own] = kernel[np.ix_(own, others)] @ mix + shares
    return found


def thresholds_for(found: Floats, targets: Floats) -> Floats:
    """Per pattern the threshold with the best weighted F on the guesses, drawn half-way to the usual one."""
    best = []
    for column in range(targets.shape[1]):
        truth = targets[:, column] > 0
        scores = [(_f_score(found[:, column] >= edge, truth), -edge) for edge in np.arange(0.15, 0.6, 0.01)]
        best.append((-max(scores)[1] + USUAL) / 2)
    return np.round(np.array(best), 3)


def _f_score(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    weight = RECALL_WEIGHT**2
    return float((1 + weight) * (said & truth).sum() / max(1.0, weight * truth.sum() + said.sum()))


def report(title: str, found: Floats, targets: Floats, thresholds: Floats) -> None:
    """Print micro recall and precision of the guesses above their thresholds, the surest always taken."""
    said = found >= thresholds
    said[np.arange(len(found)), (found / thresholds).argmax(axis=1)] = True
    hits = float((said & (targets > 0)).sum())
    recall, precision = hits / float(targets.sum()), hits / max(1.0, float(said.sum()))
    sys.stdout.write(f"{title}: {len(targets)} texts, recall {recall:.3f}, precision {precision:.3f}\n")


def main() -> None:
    """Train, report, write."""
    patterns = sorted(load_book().patterns)
    train = load("train", patterns)
    kernel = (train.features @ train.features.T).astype(np.float64)
    found = by_strangers(kernel, train)
    thresholds = thresholds_for(found, train.targets)
    for author in dict.fromkeys(train.authors):
        own = np.array(train.authors) == author
        report(f"trained without the author of '{author}'", found[own], train.targets[own], thresholds)
    mix, shares = solve(kernel, train.targets)
    matrix = (train.features.T @ mix.astype(np.float32)).T.astype(np.float64)
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-6) / 127
    whole = np.round(matrix / scale[:, None]).astype(np.int8)
    test = load("test", patterns)
    guessed = test.features @ (whole * scale[:, None]).T + shares
    report("test part", guessed, test.targets, thresholds)
    np.savez_compressed(
        TARGET,
        patterns=np.array(patterns),
        matrix=whole,
        scale=scale,
        bias=shares,
        thresholds=thresholds,
    )
    sys.stdout.write(f"wrote {TARGET.name}: {TARGET.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
