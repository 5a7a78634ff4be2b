"""What the classifier sees of a text: how often each concept occurs, which occur together, and hashed n-grams.

All of it is whole numbers, so that the same text has the same features on every machine.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from zlib import crc32

from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.lexicon import concepts_of
from windtunnel.planning.reading.words import Word

SCALE = 1024
"""Features are multiples of one part in so many."""

GRAMS = 8192
PHRASES = 8192
_SIZES = (3, 4, 5)
_SOLID_SIZES = (1, 2, 3)
_SECTIONS = ("concepts", "actions", "tools", "people")
_PAIRED = frozenset({"concepts", "actions"})
_STEM = 6
_EDGE = "\x02"
_CONCEPT = 0.4
_LOGS = tuple(round(256 * math.log1p(count)) for count in range(256))
_CONCEPT_LOGS = tuple(round(SCALE * _CONCEPT * math.log1p(count)) for count in range(64))


@cache
def names() -> tuple[tuple[str, str], ...]:
    """The concepts that are features, in the order of their columns; those that are paired come first."""
    return tuple((section, concept) for section in _SECTIONS for concept in sorted(concepts_of(section)))


@cache
def size() -> int:
    """How many features there are."""
    return _pairs_from() + _paired() * (_paired() - 1) // 2


def features_of(clauses: Sequence[Clause]) -> dict[int, int]:
    """The features of some clauses: column and value of those that are not zero."""
    grams: Counter[int] = Counter()
    phrases: Counter[int] = Counter()
    for clause in clauses:
        for word in clause.words:
            grams.update(_grams(word.form, word.solid))
        phrases.update(_phrases(clause.words))
    found = dict(_unit(grams, 0))
    found |= dict(_unit(phrases, GRAMS))
    concepts = _concepts(clauses)
    found |= {GRAMS + PHRASES + column: value for column, value in concepts.items()}
    found |= dict(_pairs(concepts))
    return found


def _unit(counts: Mapping[int, int], start: int) -> Iterator[tuple[int, int]]:
    """The logarithms of the counts, scaled to unit length."""
    logs = {column: _LOGS[min(count, len(_LOGS) - 1)] for column, count in counts.items()}
    length = math.isqrt(sum(value * value for value in logs.values()))
    for column, value in logs.items():
        yield start + column, value * SCALE // length


def _concepts(clauses: Sequence[Clause]) -> dict[int, int]:
    """Per concept the logarithm of how many different words stand for it."""
    columns = _columns()
    said: dict[int, set[str]] = {}
    for clause in clauses:
        for hit in clause.hits:
            column = columns.get((hit.section, hit.concept))
            if column is not None:
                said.setdefault(column, set()).add(
                    clause.text[hit.start - clause.start : hit.end - clause.start].casefold()
                )
    return {column: _CONCEPT_LOGS[min(len(words), len(_CONCEPT_LOGS) - 1)] for column, words in said.items()}


def _pairs(concepts: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Concepts that occur together, relative to all that occur."""
    whole = sum(value * value for value in concepts.values())
    paired = sorted(column for column in concepts if column < _paired())
    start = _pairs_from()
    for at, second in enumerate(paired):
        for first in paired[:at]:
            yield start + second * (second - 1) // 2 + first, concepts[first] * concepts[second] * SCALE // whole


@lru_cache(maxsize=16_384)
def _grams(form: str, solid: bool) -> tuple[int, ...]:
    sizes, text = (_SOLID_SIZES, form) if solid else (_SIZES, f"{_EDGE}{form}{_EDGE}")
    found = [
        crc32(text[start : start + length].encode()) % GRAMS
        for length in sizes
        for start in range(len(text) - length + 1)
    ]
    if not solid:
        found.append(crc32(text.encode()) % GRAMS)
    return tuple(found)


def _phrases(words: Sequence[Word]) -> Iterator[int]:
    stems = [word.form[:_STEM] for word in words if not word.solid]
    for stem in stems:
        yield crc32(stem.encode()) % PHRASES
    for first, second in pairwise(stems):
        yield crc32(f"{first} {second}".encode()) % PHRASES


@cache
def _columns() -> dict[tuple[str, str], int]:
    return {name: column for column, name in enumerate(names())}


@cache
def _paired() -> int:
    return sum(section in _PAIRED for section, _ in names())


@cache
def _pairs_from() -> int:
    return GRAMS + PHRASES + len(names())
