"""What the classifier sees of a text: the concepts that the lexicon found, and hashed character n-grams."""

from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.lexicon import concepts_of
from windtunnel.planning.reading.words import Word

Floats = NDArray[np.float32]

HASHED = 8192
_SIZES = (3, 4, 5)
_SOLID_SIZES = (1, 2, 3)
_SECTIONS = ("concepts", "actions", "tools", "people")
_CONCEPT_WEIGHT = 0.4
_EDGE = "\x02"


@cache
def names() -> tuple[tuple[str, str], ...]:
    """The concepts that are features, in the order of their columns."""
    return tuple((section, concept) for section in _SECTIONS for concept in sorted(concepts_of(section)))


def size() -> int:
    """How many features there are."""
    return HASHED + len(names())


def features_of(clauses: tuple[Clause, ...]) -> Floats:
    """The feature vector of some clauses: unit length for the n-grams, a fixed weight per concept found."""
    vector = np.zeros(size(), dtype=np.float32)
    for clause in clauses:
        for word in clause.words:
            for gram in _grams(word):
                vector[gram] += 1.0
    hashed = vector[:HASHED]
    np.log1p(hashed, out=hashed)
    length = float(np.linalg.norm(hashed))
    if length:
        hashed /= length
    found = {(hit.section, hit.concept) for clause in clauses for hit in clause.hits}
    for column, name in enumerate(names()):
        if name in found:
            vector[HASHED + column] = _CONCEPT_WEIGHT
    return vector


def _grams(word: Word) -> list[int]:
    if word.solid:
        sizes, text = _SOLID_SIZES, word.form
    else:
        sizes, text = _SIZES, f"{_EDGE}{word.form}{_EDGE}"
    found = [
        crc32(text[start : start + length].encode()) % HASHED
        for length in sizes
        for start in range(len(text) - length + 1)
    ]
    if not word.solid:
        found.append(crc32(text.encode()) % HASHED)
    return found
