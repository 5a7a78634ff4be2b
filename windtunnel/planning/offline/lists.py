"""Things that a text enumerates: between commas and "and", near a clause."""

from windtunnel.planning.naming import NAME_MAX_CHARS, capitalised, clean
from windtunnel.planning.offline.doers import agents_in
from windtunnel.planning.offline.rules import GREETINGS
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.lexicon import grammar
from windtunnel.planning.reading.reading import Reading
from windtunnel.planning.reading.segments import fragments

_ITEM_WORDS = 3
_ITEM_CHARS_SOLID = 12
_AT_LEAST = 2
_OR = frozenset({"or", "oder", "ou", "o", "u", "oppure"})


def items_of(reading: Reading, clause: Clause) -> list[str]:
    """Names of the things that a clause, else one beside it, enumerates: at least two, or none."""
    own = _items(reading, clause)
    if len(own) > _AT_LEAST:
        return own
    for other in _beside(reading, clause):
        found = _items(reading, other)
        if len(found) > _AT_LEAST or (found and not own and other.has("kinds", "versus", "route")):
            return found
    return own


def agents_near(reading: Reading, clause: Clause) -> list[str]:
    """The agents that a clause and those beside it name apart: at least two, or none."""
    found: list[str] = []
    for candidate in (clause, *_beside(reading, clause)):
        found += agents_in(candidate, reading.known)
    names = list(dict.fromkeys(found))
    return names if len(names) >= _AT_LEAST else []


def _beside(reading: Reading, clause: Clause) -> list[Clause]:
    near = [other for other in reading.clauses if abs(other.sentence - clause.sentence) <= 1 and other is not clause]
    return sorted(near, key=lambda other: (abs(other.start - clause.start), other.start))[:4]


def _items(reading: Reading, clause: Clause) -> list[str]:
    deeds = clause.deeds
    start = deeds[0].end if deeds else clause.start
    joints = [joint for joint in reading.joints if start <= joint[0] < clause.end]
    joints += [(word.start, word.end) for word in clause.words if word.start >= start and word.form in _OR]
    names = []
    for piece_start, piece_end in fragments(reading.text, (start, clause.end), joints):
        if any(piece_start <= hit.start < piece_end for hit in deeds[1:]):
            return []  # a list of deeds, not of things
        words = [word for word in clause.words if piece_start <= word.start and word.end <= piece_end]
        if words and words[0].form in GREETINGS:
            continue
        kept = [word for word in words if not any(word.form in grammar(name, "skip") for name in reading.known)]
        if any(word.solid for word in words):
            names.append(clean(reading.text[piece_start:piece_end], _ITEM_CHARS_SOLID).rstrip("…"))
        elif kept and not all(word.form.isdecimal() for word in kept):
            raw = [reading.text[word.start : word.end] for word in kept[-_ITEM_WORDS:]]
            names.append(clean(capitalised(raw), NAME_MAX_CHARS))
    unique = list(dict.fromkeys(names))
    return unique if len(unique) >= _AT_LEAST else []
