"""The trained classifier: its weights fit the lexicon, and are what the training script writes."""

import json
from pathlib import Path

import numpy as np

from training.train_patterns import TEXTS, fit
from windtunnel.knowledge import load_book
from windtunnel.planning.classifier import model
from windtunnel.planning.classifier.features import HASHED, features_of, names, size
from windtunnel.planning.classifier.model import load_weights, probabilities, windows
from windtunnel.planning.reading.lexicon import FULL
from windtunnel.planning.reading.reading import read


def test_the_weights_are_small_and_fit_the_book_and_the_lexicon() -> None:
    weights = load_weights()
    assert set(weights.patterns) == set(load_book().patterns)
    assert weights.matrix.shape == (17, size())
    assert np.isfinite(weights.matrix).all()
    assert (Path(model.__file__).with_name(model.WEIGHTS_FILE)).stat().st_size < 1_500_000


def test_features_are_hashed_grams_of_unit_length_and_concepts() -> None:
    vector = features_of(read("A judge agent decides who is right.").clauses)
    assert np.linalg.norm(vector[:HASHED]) == np.float32(1.0)
    assert vector[HASHED + names().index(("actions", "decide"))] > 0
    assert not features_of(read("。").clauses).any()


def test_a_long_text_is_seen_in_windows_each_sentence_once() -> None:
    sentence = "An agent checks the invoice of the supplier and another one pays it. "
    assert len(list(windows(read(sentence * 100)))) == 1
    different = " ".join(f"Agent number {number} reads the file of customer {number} today." for number in range(60))
    assert len(list(windows(read(different)))) > 3


def test_probabilities_of_a_clear_case() -> None:
    guess = probabilities(read("Two agents debate for and against the deal and a judge decides."))
    assert max(guess, key=lambda name: guess[name]) == "debate_voting"
    assert all(0 <= value <= 1 for value in guess.values())


def test_training_separates_what_can_be_separated() -> None:
    features = np.eye(6, dtype=np.float32)
    targets = np.array([[1], [1], [0], [0], [0], [0]], dtype=np.float32)
    matrix, bias = fit(features, targets)
    scores = features @ matrix.T + bias
    assert scores[:2].min() > scores[2:].max()


def test_the_training_texts_are_labelled_varied_and_split() -> None:
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    assert len(rows) >= 250
    assert len({row["text"] for row in rows}) == len(rows)
    assert {row["lang"] for row in rows} >= set(FULL)
    assert all(row["patterns"] and set(row["patterns"]) <= set(load_book().patterns) for row in rows)
    assert 0.15 <= sum(row["split"] == "test" for row in rows) / len(rows) <= 0.4
