"""Trains the tool classifier on the texts that say which tools they expect, and writes its weights into the package.

Run with `python -m training.train_tools`; half a minute on one core. Rows of the part `test` are used for nothing but
the last figure. The figure before it is of guesses by models that saw no text in the same voice.
"""

import sys
from pathlib import Path

import numpy as np

from training.measure import any_of
from training.train_patterns import Floats, by_strangers, guesses, load, rounded, solve, write
from windtunnel.knowledge import load_book
from windtunnel.planning.classifier import model
from windtunnel.planning.classifier.tools import standing_out

TARGET = Path(model.__file__).with_name(model.TOOLS_FILE)
THRESHOLD = 0.16
"""One for all: most tools stand in a few dozen texts, too few for a threshold of their own."""


def report(title: str, found: Floats, targets: Floats, tools: list[str]) -> None:
    """Print how many texts have one of their tools named by the classifier alone, and how many by chance."""
    edges = (THRESHOLD,) * len(tools)
    told = [frozenset(standing_out(dict(zip(tools, row, strict=True)), edges)) for row in found.tolist()]
    wanted = [frozenset(tool for tool, value in zip(tools, row, strict=True) if value) for row in targets.tolist()]
    share, _, _, chance = any_of(list(zip(told, wanted, strict=True)))
    named = sum(map(len, told)) / len(told)
    sys.stdout.write(f"{title}: {len(told)} texts, {share:.3f}, by chance {chance:.3f}, {named:.1f} named\n")


def main() -> None:
    """Train, report, write."""
    tools = sorted(load_book().tools)
    train, test = load("train", tools, "tools_any"), load("test", tools, "tools_any")
    kernel = (train.features @ train.features.T).astype(np.float64)
    of_work = np.flatnonzero(np.array(train.authors) == "work")
    found = by_strangers(kernel, train.targets, train.voices)
    report("trained without the voice", found[of_work], train.targets[of_work], tools)
    mix, shares = solve(kernel, train.targets)
    weights = rounded(train.features, mix)
    report("test part", guesses(test.features, weights, shares), test.targets, tools)
    write(TARGET, tools, weights, shares, np.full(len(tools), THRESHOLD))


if __name__ == "__main__":
    main()
