"""The trained classifier: its weights fit the lexicon, and are what the training script writes."""

from itertools import chain
from pathlib import Path

import numpy as np

from training.texts import texts
from training.train_patterns import solve
from windtunnel.knowledge import load_book
from windtunnel.planning.classifier import model
from windtunnel.planning.classifier.features import GRAMS, PHRASES, SCALE, features_of, names, size
from windtunnel.planning.classifier.model import load_weights, probabilities, scores_of, windows
from windtunnel.planning.reading.lexicon import FULL
from windtunnel.planning.reading.reading import read


def test_the_weights_are_small_and_fit_the_book_and_the_lexicon() -> None:
    weights = load_weights()
    assert set(weights.names) == set(load_book().patterns)
    assert weights.matrix.shape == (17, size())
    assert np.isfinite(weights.matrix).all()
    assert (Path(model.__file__).with_name(model.WEIGHTS_FILE)).stat().st_size < 1_500_000


def test_features_are_grams_of_unit_length_concepts_and_pairs_of_them() -> None:
    found = features_of(read("Two agents debate and a judge agent decides who is right.").clauses)
    assert all(isinstance(value, int) for value in found.values())
    assert sum(value**2 for column, value in found.items() if column < GRAMS) ** 0.5 > 0.95 * SCALE
    decide = GRAMS + PHRASES + names().index(("actions", "decide"))
    assert found[decide] > 0
    assert max(found) >= GRAMS + PHRASES + len(names()), "concepts that occur together"
    assert features_of(read("。").clauses) == {}


def test_more_words_for_a_concept_count_more_and_the_same_word_does_not() -> None:
    column = GRAMS + PHRASES + names().index(("concepts", "undo"))

    def undo(text: str) -> int:
        return features_of(read(text).clauses)[column]

    assert undo("They refund it.") == undo("They refund it. They refund it.")
    assert undo("They refund it.") < undo("They refund it and roll back the rest, all or nothing.")


def test_scores_are_sums_of_whole_numbers() -> None:
    weights = load_weights()
    assert weights.matrix.dtype == np.int8
    bare = scores_of(weights, {})
    assert bare == list(weights.bias)
    column = int(np.abs(weights.matrix[0].astype(int)).argmax())
    assert scores_of(weights, {column: SCALE})[0] == int(weights.matrix[0, column]) * weights.scale[0] + bare[0]


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
    features = 3 * np.eye(6)
    targets = np.array([[1.0], [1.0], [0.0], [0.0], [0.0], [0.0]])
    kernel = features @ features.T
    mix, shares = solve(kernel, targets)
    guesses = kernel @ mix + shares
    assert guesses[:2].min() > guesses[2:].max()


def test_the_training_texts_are_labelled_varied_and_split() -> None:
    train, test = texts("train"), texts("test")
    rows = [*train, *test]
    assert len(rows) >= 1_500
    assert len({row["text"] for row in rows}) == len(rows)
    assert {row["lang"] for row in train} >= set(FULL)
    assert {row["lang"] for row in test} >= set(FULL)
    assert all(row["patterns"] and set(row["patterns"]) <= set(load_book().patterns) for row in rows)
    assert set(chain.from_iterable(row.get("tools_any", ()) for row in rows)) <= set(load_book().tools)
    assert set(chain.from_iterable(row.get("failures_any", ()) for row in rows)) <= set(load_book().triggers)
    assert 0.1 <= len(test) / len(rows) <= 0.4


def test_the_test_part_has_fields_of_work_and_voices_of_its_own() -> None:
    def fields(split: str) -> set[str]:
        return {row["domain"] for row in texts(split) if "domain" in row and row["voice"] == "manager"}

    def voices(split: str) -> set[str]:
        return {row["voice"] for row in texts(split) if "voice" in row}

    assert not fields("train") & fields("test")
    assert {"lawyer", "spreadsheet rows"} <= voices("test") - voices("train")
