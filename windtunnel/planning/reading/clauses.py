"""Clauses: the parts of sentences that say one thing each, with the deeds named in them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from windtunnel.planning.reading.lexicon import Hit, grammar
from windtunnel.planning.reading.segments import Span, fragments, sentences
from windtunnel.planning.reading.words import Word

CLAUSES_MAX = 400
"""Sentences behind these are searched for concepts, but not cut into clauses."""

_OBJECTS = frozenset({"la", "las", "lo", "los", "le", "les", "l", "o", "a", "os", "as", "li", "gli"})
"""Romance articles that before a verb are its object: "otro la revisa"."""
_GLUE = " -'’\n\t"
_DOER = re.compile("(er|or)s?$")
_VERBS_LIKE_DOERS = frozenset(
    f"{verb}{ending}"
    for verb in (
        "administer", "alter", "answer", "author", "consider", "deliver", "discover", "enter", "filter", "gather",
        "monitor", "offer", "order", "refactor", "refer", "register", "reorder", "transfer", "trigger",
    )
    for ending in ("", "s")
)  # fmt: skip
_BEHIND_THINGS = frozenset(
    {
        "over",
        "above",
        "below",
        "exceeding",
        "need",
        "require",
        "must",
        "may",
        "are",
        "should",
        "cannot",
        "will",
        "shall",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """A part of a sentence. `sentence` is its number, from 0; `deeds` are the actions that are done, no things."""

    text: str
    start: int
    end: int
    sentence: int
    words: tuple[Word, ...]
    hits: tuple[Hit, ...]
    deeds: tuple[Hit, ...]

    def concepts(self, section: str = "concepts") -> frozenset[str]:
        """The concepts of a section found here."""
        return frozenset(hit.concept for hit in self.hits if hit.section == section)

    def has(self, *concepts: str) -> bool:
        """True when at least one of the concepts is found here."""
        return any(hit.section == "concepts" and hit.concept in concepts for hit in self.hits)


def clauses_of(
    text: str, words: Sequence[Word], hits: Sequence[Hit], languages: Sequence[str], *, joints: Sequence[Span]
) -> list[Clause]:
    """The clauses in order, at least one. `hits` are in order of their start."""
    deeds = deeds_of(text, words, hits, languages)
    marks = _Marks([word.start for word in words], [hit.start for hit in hits], [deed.start for deed in deeds])
    clauses: list[Clause] = []
    for number, sentence in enumerate(sentences(text)):
        pieces = [sentence]
        if len(clauses) < CLAUSES_MAX:
            first, last = bisect_left(joints, (sentence[0], 0)), bisect_left(joints, (sentence[1], 0))
            pieces = list(fragments(text, sentence, joints[first:last])) or [sentence]
        for start, end in _merged(pieces, marks.deeds):
            clauses.append(
                Clause(
                    text=text[start:end],
                    start=start,
                    end=end,
                    sentence=number,
                    words=tuple(words[slice(*_within(marks.words, start, end))]),
                    hits=tuple(hits[slice(*_within(marks.hits, start, end))]),
                    deeds=tuple(deeds[slice(*_within(marks.deeds, start, end))]),
                )
            )
    return clauses or [Clause(text, 0, len(text), 0, (), (), ())]


def deeds_of(text: str, words: Sequence[Word], hits: Sequence[Hit], languages: Sequence[str]) -> list[Hit]:
    """The actions that are done, in order, of two at one place the longer; "the report" and "a checker" are none."""
    starts = [word.start for word in words]
    things = {hit.start for hit in hits if hit.section == "tools"}
    found: list[Hit] = []
    for hit in sorted((hit for hit in hits if hit.section == "actions"), key=lambda hit: (hit.start, -hit.end)):
        if found and hit.start < found[-1].end:
            continue
        at = bisect_left(starts, hit.start)
        last = words[bisect_left(starts, hit.end) - 1].form
        if "en" in languages and (_names_a_doer(last) or _names_things(last, words, bisect_left(starts, hit.end))):
            continue
        if at and _is_article(words[at - 1], languages) and not text[words[at - 1].end : hit.start].strip(_GLUE):
            before = words[at - 2] if at > 1 else None
            is_object = words[at - 1].form in _OBJECTS and hit.start not in things
            if not (is_object and before is not None and _may_be_subject(before, found, languages)):
                continue
        found.append(hit)
    return found


def _names_a_doer(form: str) -> bool:
    return bool(_DOER.search(form)) and form not in _VERBS_LIKE_DOERS


def _names_things(form: str, words: Sequence[Word], after: int) -> bool:
    """True for "refunds over 200" and "payments must": several things, no deed."""
    return form.endswith("s") and after < len(words) and words[after].form in _BEHIND_THINGS


def _may_be_subject(word: Word, found: Sequence[Hit], languages: Sequence[str]) -> bool:
    """True unless the word is the verb whose object follows, or a preposition: "lee la nota", "de la compra"."""
    is_deed = bool(found) and found[-1].start <= word.start < found[-1].end
    return not is_deed and not _is_article(word, languages)


def _is_article(word: Word, languages: Sequence[str]) -> bool:
    return any(word.form in grammar(language, "article") for language in languages)


def loosely(clause: Clause, text: str, joints: Sequence[Span]) -> list[Clause]:
    """A clause cut at every comma and joint, whether or not the parts name a deed that is known."""
    first, last = bisect_left(joints, (clause.start, 0)), bisect_left(joints, (clause.end, 0))
    parts = []
    for start, end in fragments(text, (clause.start, clause.end), joints[first:last]):
        words = tuple(word for word in clause.words if start <= word.start < end)
        if words:
            parts.append(
                Clause(
                    text=text[start:end],
                    start=start,
                    end=end,
                    sentence=clause.sentence,
                    words=words,
                    hits=tuple(hit for hit in clause.hits if start <= hit.start < end),
                    deeds=tuple(deed for deed in clause.deeds if start <= deed.start < end),
                )
            )
    return parts or [clause]


@dataclass(frozen=True, slots=True)
class _Marks:
    words: list[int]
    hits: list[int]
    deeds: list[int]


def _within(starts: Sequence[int], start: int, end: int) -> Span:
    return bisect_left(starts, start), bisect_left(starts, end)


def _merged(pieces: Sequence[Span], deeds: Sequence[int]) -> Iterator[Span]:
    """Pieces without a deed are joined to the one before (lists of things), leading ones to the one after."""
    current: Span | None = None
    busy = False
    for start, end in pieces:
        first, last = _within(deeds, start, end)
        does = first < last
        if current is None or not does or not busy:
            current = (start if current is None else current[0], end)
            busy = busy or does
        else:
            yield current
            current, busy = (start, end), does
    if current is not None:
        yield current
