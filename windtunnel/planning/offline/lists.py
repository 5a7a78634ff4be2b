"""Lists of things in a text: what follows "for", "as", a colon, or stands between commas."""

from windtunnel.planning.naming import NAME_MAX_CHARS, capitalised, clean
from windtunnel.planning.reading.lexicon import grammar
from windtunnel.planning.reading.reading import Clause, Reading, actions_of
from windtunnel.planning.reading.segments import fragments

_ITEM_WORDS = 3


def items_of(reading: Reading, clause: Clause, *, before: bool = False) -> list[str]:
    """Names of the things that a clause or its sentence enumerates, at least two; empty when it enumerates none."""
    languages = reading.known
    same = [other for other in reading.clauses if abs(other.sentence - clause.sentence) <= 1]
    for candidate in (clause, *same):
        found = _items(reading, candidate, languages, before=before)
        if len(found) >= 2:
            return found
    return []


def _items(reading: Reading, clause: Clause, languages: tuple[str, ...], *, before: bool) -> list[str]:
    actions = actions_of(clause, languages)
    start, end = clause.start, clause.end
    if actions and before:
        end = actions[0].start
    elif actions:
        start = actions[0].end
    joints = [(hit.start, hit.end) for hit in clause.hits if hit.section == "grammar" and hit.concept == "joint"]
    names = []
    for piece_start, piece_end in fragments(reading.text, (start, end), joints):
        words = [word for word in clause.words if piece_start <= word.start and word.end <= piece_end]
        kept = [word for word in words if not any(word.form in grammar(name, "skip") for name in languages)]
        if any(word.solid for word in words):
            names.append(clean(reading.text[piece_start:piece_end], 12))
        elif kept:
            raw = [reading.text[word.start : word.end] for word in kept[-_ITEM_WORDS:]]
            names.append(clean(capitalised(raw), NAME_MAX_CHARS))
    return list(dict.fromkeys(names)) if len(names) >= 2 else []
