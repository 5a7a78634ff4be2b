"""Trains the pattern classifier on texts.jsonl and writes the weights into the package.

Run with `python -m training.train_patterns`. The rows with `split` "test" are used for nothing but the last figures.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windtunnel.knowledge import load_book
from windtunnel.planning.classifier.features import Floats, features_of
from windtunnel.planning.reading.reading import read

HERE = Path(__file__).parent
TEXTS = HERE / "texts.jsonl"
TARGET = HERE.parent / "windtunnel" / "planning" / "classifier" / "weights.npz"
FOLDS = 6
NEWTON_STEPS = 12
RIDGE = 1.5


@dataclass(frozen=True, slots=True)
class Examples:
    """Feature rows, target rows, and the languages."""

    features: Floats
    targets: Floats
    languages: Sequence[str]


def load(split: str, patterns: Sequence[str]) -> Examples:
    """The texts of a split."""
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == split]
    features = np.stack([features_of(read(row["text"]).clauses) for row in rows])
    targets = np.array([[name in row["patterns"] for name in patterns] for row in rows], dtype=np.float32)
    return Examples(features, targets, [row["lang"] for row in rows])


def fit(features: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Logistic regression with a ridge, per pattern; rare patterns weigh more.

    There are far fewer texts than features, so each is solved by Newton steps in the space of the texts: the weights
    are a combination of the rows.
    """
    kernel = (features @ features.T).astype(np.float64)
    rows = len(kernel)
    share = targets.mean(axis=0)
    matrix = np.zeros((targets.shape[1], features.shape[1]), dtype=np.float32)
    bias = np.zeros(targets.shape[1], dtype=np.float32)
    system = np.ones((rows + 1, rows + 1))
    system[rows, rows] = 0
    for column in range(targets.shape[1]):
        truth = targets[:, column].astype(np.float64)
        weight = np.where(truth > 0, np.sqrt((1 - share[column]) / (share[column] + 1e-3)), 1.0)
        mix, shift = np.zeros(rows), float(np.log(share[column] + 0.01))
        for _ in range(NEWTON_STEPS):
            logit = kernel @ mix + shift
            guess = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
            curve = np.maximum(guess * (1 - guess), 0.01)
            system[:rows, :rows] = kernel + np.diag(RIDGE / (weight * curve))
            solved = np.linalg.solve(system, np.append(logit + (truth - guess) / curve, 0.0))
            mix, shift = solved[:rows], float(solved[rows])
        matrix[column] = mix @ features
        bias[column] = shift
    return matrix, bias


def guesses(matrix: Floats, bias: Floats, features: Floats) -> Floats:
    """Probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(features @ matrix.T + bias, -30, 30))), dtype=np.float32)


def out_of_fold(examples: Examples) -> Floats:
    """Each row guessed by a model that has not seen it."""
    found = np.zeros_like(examples.targets)
    folds = np.random.default_rng(7).permutation(len(found)) % FOLDS
    for fold in range(FOLDS):
        inside = folds != fold
        matrix, bias = fit(examples.features[inside], examples.targets[inside])
        found[~inside] = guesses(matrix, bias, examples.features[~inside])
    return found


def thresholds_for(found: Floats, targets: Floats) -> Floats:
    """Per pattern the threshold with the best F1 on out-of-fold guesses, drawn towards one half."""
    grid = np.linspace(0.15, 0.75, 25)
    best = []
    for column in range(targets.shape[1]):
        truth = targets[:, column] > 0
        scores = []
        for threshold in grid:
            said = found[:, column] >= threshold
            hits = float((said & truth).sum())
            scores.append(2 * hits / max(1.0, float(said.sum() + truth.sum())) - 0.05 * abs(threshold - 0.4))
        best.append(grid[int(np.argmax(scores))])
    return np.array(best, dtype=np.float32)


def report(title: str, found: Floats, targets: Floats, thresholds: Floats) -> None:
    """Print micro recall and precision of the guesses above their thresholds."""
    said = found >= thresholds
    hits = float((said & (targets > 0)).sum())
    recall, precision = hits / float(targets.sum()), hits / max(1.0, float(said.sum()))
    sys.stdout.write(f"{title}: {len(targets)} texts, recall {recall:.3f}, precision {precision:.3f}\n")


def main() -> None:
    """Train, report, write."""
    patterns = sorted(load_book().patterns)
    train = load("train", patterns)
    found = out_of_fold(train)
    thresholds = thresholds_for(found, train.targets)
    report("train, out of fold", found, train.targets, thresholds)
    matrix, bias = fit(train.features, train.targets)
    test = load("test", patterns)
    report("kept out", guesses(matrix, bias, test.features), test.targets, thresholds)
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-6) / 127
    np.savez_compressed(
        TARGET,
        patterns=np.array(patterns),
        matrix=np.round(matrix / scale[:, None]).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=bias,
        thresholds=thresholds,
    )
    sys.stdout.write(f"wrote {TARGET.name}: {TARGET.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
