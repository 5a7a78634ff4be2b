"""What was read: the clauses of a scenario with the concepts, people, agents and numbers found in them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from windtunnel.planning.reading.clauses import Clause, clauses_of
from windtunnel.planning.reading.language import languages_of
from windtunnel.planning.reading.lexicon import LANGUAGES, Hit, matcher
from windtunnel.planning.reading.orders import without_orders
from windtunnel.planning.reading.segments import Span
from windtunnel.planning.reading.words import words_of

_KEPT_IN_TITLES = frozenset({"people", "agents", "tools", "products", "domains", "grammar"})


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


@lru_cache(maxsize=8)
def read(text: str) -> Reading:
    """Read a scenario, once for all planning agents."""
    return look(text)


def look(text: str) -> Reading:
    """Read a text; all of it, however long, but for sentences that address the planner.

    There is at least one clause, though perhaps without words.
    """
    said = without_orders(text)
    words = words_of(said)
    languages = languages_of(said, words)
    known = tuple(name for name in languages if name in LANGUAGES) or ("en",)
    hits = _without_titles(matcher(known).hits(said, words))
    joints = tuple((hit.start, hit.end) for hit in hits if hit.section == "grammar" and hit.concept == "joint")
    clauses = clauses_of(said, words, hits, known, joints=joints) if said.strip() else [Clause("", 0, 0, 0, (), (), ())]
    counts: Counter[tuple[str, str]] = Counter()
    for clause in clauses:
        counts.update({(hit.section, hit.concept) for hit in clause.hits})
    return Reading(text, languages, known, tuple(clauses), joints, dict(counts), len(words))


def _without_titles(hits: Sequence[Hit]) -> list[Hit]:
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
        if not inside or hit.section in _KEPT_IN_TITLES or hit.concept in {"human", "approve"}:
            kept.append(hit)
    return kept
