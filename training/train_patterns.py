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
    """Feature rows, target rows, who wrote each text, and in whose voice."""

    features: NDArray[np.float32]
    targets: Floats
    authors: Sequence[str]
    voices: Sequence[str]


def load(split: str, names: Sequence[str], key: str = "patterns") -> Examples:
    """The texts of a part that say which of the names (of patterns, or of tools) they expect; `key` says where."""
    rows = [row for row in texts(split) if row.get(key)]
    features = np.zeros((len(rows), size()), dtype=np.float32)
    for index, row in enumerate(rows):
        found = features_of(look(row["text"]).clauses)
        features[index, list(found)] = np.array(list(found.values()), dtype=np.float32) / SCALE
    targets = np.array([[float(name in row[key]) for name in names] for row in rows])
    return Examples(
        features, targets, [row["author"] for row in rows], [row.get("voice", row["author"]) for row in rows]
    )


def solve(kernel: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Ridge regression, all patterns at once, in the space of the texts: there are far fewer texts than features.

    Returns how much each text counts, and the shares that are added.
    """
    shares = targets.mean(axis=0)
    return np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), targets - shares), shares


def by_strangers(kernel: Floats, targets: Floats, groups: Sequence[str]) -> Floats:
    """Each row guessed by a model that saw no text of its group: of its author, or in its voice."""
    found = np.zeros_like(targets)
    of = np.array(groups)
    for group in dict.fromkeys(groups):
        others, own = np.flatnonzero(of != group), np.flatnonzero(of == group)
        mix, shares = solve(kernel[np.ix_(others, others)], targets[others])
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


@dataclass(frozen=True, slots=True)
class Rounded:
    """Weights as they ship: whole numbers, a row per name, in units of `scale`."""

    matrix: NDArray[np.int8]
    scale: Floats


def rounded(features: NDArray[np.float32], mix: Floats) -> Rounded:
    """The weights of the features, from how much each text counts."""
    matrix = (features.T @ mix.astype(np.float32)).T.astype(np.float64)
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-6) / 127
    return Rounded(np.round(matrix / scale[:, None]).astype(np.int8), scale)


def guesses(features: NDArray[np.float32], weights: Rounded, shares: Floats) -> Floats:
    """What the weights as they ship say of each text."""
    found: Floats = features @ (weights.matrix * weights.scale[:, None]).T + shares
    return found


def write(target: Path, names: Sequence[str], weights: Rounded, shares: Floats, thresholds: Floats) -> None:
    """Write the weights into the package."""
    np.savez_compressed(
        target, names=np.array(names), matrix=weights.matrix, scale=weights.scale, bias=shares, thresholds=thresholds
    )
    sys.stdout.write(f"wrote {target.name}: {target.stat().st_size:,} bytes\n")


def main() -> None:
    """Train, report, write."""
    patterns = sorted(load_book().patterns)
    train = load("train", patterns)
    kernel = (train.features @ train.features.T).astype(np.float64)
    found = by_strangers(kernel, train.targets, train.authors)
    thresholds = thresholds_for(found, train.targets)
    for author in dict.fromkeys(train.authors):
        own = np.array(train.authors) == author
        report(f"trained without the author of '{author}'", found[own], train.targets[own], thresholds)
    mix, shares = solve(kernel, train.targets)
    weights = rounded(train.features, mix)
    test = load("test", patterns)
    report("test part", guesses(test.features, weights, shares), test.targets, thresholds)
    write(TARGET, patterns, weights, shares, thresholds)


if __name__ == "__main__":
    main()
