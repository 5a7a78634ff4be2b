"""What was read: the clauses of a scenario with the concepts, people, agents and numbers found in them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from windtunnel.planning.reading.language import languages_of
from windtunnel.planning.reading.lexicon import LANGUAGES, Hit, grammar, matcher
from windtunnel.planning.reading.segments import Span, fragments, sentences
from windtunnel.planning.reading.words import Word, words_of

_CLAUSES_MAX = 400
"""Clauses beyond these are searched for concepts, but become no steps of their own."""

_DOER = re.compile("(er|or)s?$")
_VERBS_LIKE_DOERS = frozenset(
    f"{verb}{ending}"
    for verb in (
        "administer", "alter", "answer", "author", "consider", "deliver", "discover", "enter", "filter", "gather",
        "monitor", "offer", "order", "refactor", "refer", "register", "reorder", "transfer", "trigger",
    )
    for ending in ("", "s")
)  # fmt: skip
_TITLES_KEEP = frozenset({"people", "agents", "tools", "domains", "grammar"})


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing. `sentence` is the number of its sentence, from 0."""

    text: str
    start: int
    end: int
    sentence: int
    words: tuple[Word, ...]
    hits: tuple[Hit, ...]

    def concepts(self, section: str = "concepts") -> frozenset[str]:
        """The concepts of a section found here."""
        return frozenset(hit.concept for hit in self.hits if hit.section == section)

    def has(self, *concepts: str) -> bool:
        """True when at least one of the concepts is found here."""
        return not self.concepts().isdisjoint(concepts)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A scenario, read. `known` are the languages whose words were looked up, `joints` the places of "and", "then" and
    their like, and `counts` says in how many clauses each `(section, concept)` occurs."""

    text: str
    languages: tuple[str, ...]
    known: tuple[str, ...]
    clauses: tuple[Clause, ...]
    joints: tuple[Span, ...]
    counts: Mapping[tuple[str, str], int]
    word_count: int

    @property
    def language(self) -> str:
        """The main language, `und` when it could not be told."""
        return self.languages[0]

    def found(self, section: str = "concepts") -> frozenset[str]:
        """The concepts of a section that occur anywhere."""
        return frozenset(concept for kind, concept in self.counts if kind == section)

    def count(self, section: str, concept: str) -> int:
        """In how many clauses the concept occurs."""
        return self.counts.get((section, concept), 0)


@lru_cache(maxsize=16)
def read(text: str) -> Reading:
    """Read a scenario; all of it, however long. There is at least one clause, though perhaps without words."""
    words = words_of(text)
    languages = languages_of(text, words)
    known = tuple(name for name in languages if name in LANGUAGES) or ("en",)
    hits = _without_people(matcher(known).hits(text, words))
    joints = tuple((hit.start, hit.end) for hit in hits if hit.section == "grammar" and hit.concept == "joint")
    clauses = _clauses(text, words, hits, known, joints=joints) or [Clause(text, 0, len(text), 0, (), ())]
    counts: Counter[tuple[str, str]] = Counter()
    for clause in clauses:
        counts.update({(hit.section, hit.concept) for hit in clause.hits})
    return Reading(text, languages, known, tuple(clauses), joints, dict(counts), len(words))


def _without_people(hits: Sequence[Hit]) -> list[Hit]:
    """Drop what is only part of a person's title: a supervisor, a moderator, a reviewer names no deed here."""
    agents = {hit.start for hit in hits if hit.section == "agents"}
    titles = [
        (hit.start, hit.end)
        for hit in hits
        if hit.section == "people" and hit.concept != "outsider" and not agents & {hit.start, hit.end, hit.end + 1}
    ]
    kept = []
    at = 0
    for hit in hits:
        while at < len(titles) and titles[at][1] <= hit.start:
            at += 1
        inside = at < len(titles) and titles[at][0] <= hit.start and hit.end <= titles[at][1]
        if not inside or hit.section in _TITLES_KEEP or hit.concept in {"human", "approve"}:
            kept.append(hit)
    return kept


def is_noun(clause: Clause, hit: Hit, languages: Sequence[str]) -> bool:
    """True for a thing or a doer, no deed: "the report", "of orders", "a fact checker"."""
    before = last = None
    for word in clause.words:
        if word.start >= hit.end:
            break
        if word.end <= hit.start:
            before = word
        last = word
    if last is not None and "en" in languages and _DOER.search(last.form) and last.form not in _VERBS_LIKE_DOERS:
        return True
    return before is not None and any(before.form in grammar(language, "article") for language in languages)


def actions_of(clause: Clause, languages: Sequence[str]) -> list[Hit]:
    """The deeds named in a clause, in order; of two at one place the longer."""
    found: list[Hit] = []
    for hit in sorted(clause.hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.section != "actions" or (found and hit.start < found[-1].end):
            continue
        if not is_noun(clause, hit, languages):
            found.append(hit)
    return found


def _clauses(
    text: str, words: Sequence[Word], hits: Sequence[Hit], languages: Sequence[str], *, joints: Sequence[Span]
) -> list[Clause]:
    clauses: list[Clause] = []
    word_at = hit_at = joint_at = 0
    for number, span in enumerate(sentences(text)):
        while joint_at < len(joints) and joints[joint_at][0] < span[0]:
            joint_at += 1
        last = joint_at
        while last < len(joints) and joints[last][0] < span[1]:
            last += 1
        pieces = [span]
        if len(clauses) < _CLAUSES_MAX:
            pieces = list(fragments(text, span, joints[joint_at:last])) or [span]
        made = []
        for start, end in pieces:
            while word_at < len(words) and words[word_at].end <= start:
                word_at += 1
            upto = word_at
            while upto < len(words) and words[upto].start < end:
                upto += 1
            while hit_at < len(hits) and hits[hit_at].start < start:
                hit_at += 1
            until = hit_at
            while until < len(hits) and hits[until].start < end:
                until += 1
            made.append(
                Clause(text[start:end], start, end, number, tuple(words[word_at:upto]), tuple(hits[hit_at:until]))
            )
            word_at, hit_at = upto, until
        clauses += _merged(text, made, languages)
    return clauses


def _merged(text: str, pieces: Sequence[Clause], languages: Sequence[str]) -> list[Clause]:
    """Pieces without a deed are joined to the one before (lists of things), leading ones to the one after."""
    merged: list[Clause] = []
    for piece in pieces:
        if merged and (not actions_of(piece, languages) or not actions_of(merged[-1], languages)):
            last = merged.pop()
            span: Span = (last.start, piece.end)
            merged.append(
                Clause(text[slice(*span)], *span, piece.sentence, last.words + piece.words, last.hits + piece.hits)
            )
        else:
            merged.append(piece)
    return merged
