"""From clauses to steps: who does what, under which condition; and who of them is a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from windtunnel.planning.naming import NAME_MAX_CHARS, capitalised, clean, fold_all
from windtunnel.planning.reading.lexicon import Hit, grammar
from windtunnel.planning.reading.reading import Clause, Reading, actions_of
from windtunnel.planning.reading.words import Word

STEPS_MAX = 14
_NAME_WORDS = 4
_NAME_SOLID_CHARS = 14
_APPROVING = frozenset({"approve", "decide", "check", "review", "escalate", "score"})


class Doer(StrEnum):
    """Who does a step."""

    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `action` is the deed's concept (None when no verb was recognised), `text` the clause."""

    name: str
    action: str | None
    doer: Doer
    named: bool
    clause: Clause
    conditional: bool
    copies: int
    also: tuple[Clause, ...] = ()

    @property
    def text(self) -> str:
        """Every clause that this step stands for."""
        return "; ".join(clean(clause.text) for clause in (self.clause, *self.also))

    def has(self, *concepts: str) -> bool:
        """True when one of the concepts is in one of its clauses."""
        return any(clause.has(*concepts) for clause in (self.clause, *self.also))

    def tools(self) -> frozenset[str]:
        """The tools that its clauses speak of."""
        return frozenset().union(*(clause.concepts("tools") for clause in (self.clause, *self.also)))


def steps_of(reading: Reading) -> list[Step]:
    """The steps in the order of the text; the same doer or name twice is one step."""
    languages = reading.known
    found: list[Step] = []
    for clause in reading.clauses:
        step = _step(clause, languages)
        if step is not None:
            _add(found, step)
    if not found:
        found = [_plain_step(clause, languages) for clause in reading.clauses[:1]]
    return found


def is_gate(step: Step) -> bool:
    """True when a person has to agree before work goes on."""
    return step.doer is Doer.PERSON


def _step(clause: Clause, languages: Sequence[str]) -> Step | None:
    actions = actions_of(clause, languages)
    person = _person(clause, actions)
    if not actions and person is None:
        return None
    action = actions[0] if actions else None
    copies = _copies(clause, languages)
    conditional = clause.has("if") or (clause.has("limit") and (person is not None or clause.has("escalate")))
    if person is not None:
        name, named = _person_name(clause, person, languages), True
        concept = next((hit.concept for hit in actions if hit.concept in _APPROVING), "approve")
        return Step(name, concept, Doer.PERSON, named, clause, conditional, copies)
    agent = _agent_name(clause, action, languages)
    name = agent or _deed_name(clause, action, languages)
    return Step(name, action.concept if action else None, Doer.AGENT, agent is not None, clause, conditional, copies)


def _plain_step(clause: Clause, languages: Sequence[str]) -> Step:
    return Step(_deed_name(clause, None, languages), None, Doer.AGENT, False, clause, False, 1)


def _add(found: list[Step], step: Step) -> None:
    key = fold_all(step.name)
    for index, known in enumerate(found):
        if fold_all(known.name) == key:
            if step.clause.text != known.clause.text and len(known.also) < 4:
                found[index] = replace(known, also=(*known.also, step.clause))
            return
    found.append(step)


def _person(clause: Clause, actions: Sequence[Hit]) -> Hit | None:
    """The person who acts in a clause: someone of the staff who approves, decides, or is handed the work."""
    people = [
        hit
        for hit in clause.hits
        if hit.section == "people" and hit.concept != "outsider" and not _is_agent(clause, hit)
    ]
    if not people or clause.has("automatic"):
        return None
    deeds = {hit.concept for hit in actions}
    if clause.has("approve", "escalate", "human", "wait") or not deeds.isdisjoint({"approve", "decide", "escalate"}):
        return people[0]
    first = people[0]
    acts = [hit for hit in actions if hit.concept in _APPROVING]
    return first if acts and first.start < acts[0].start and acts[0] is actions[0] else None


def _is_agent(clause: Clause, hit: Hit) -> bool:
    """True when the person's word is followed by "agent": a judge agent is no judge."""
    agents = [other for other in clause.hits if other.section == "agents"]
    return any(0 <= other.start - hit.end <= 2 for other in agents)


def _words_between(clause: Clause, start: int, end: int) -> list[Word]:
    return [word for word in clause.words if word.start >= start and word.end <= end]


def _person_name(clause: Clause, person: Hit, languages: Sequence[str]) -> str:
    before = _words_between(clause, clause.start, person.start)
    kept: list[Word] = []
    for word in reversed(before[-2:]):
        if (
            word.solid
            or _function(word, languages)
            or any(hit.section == "actions" and hit.start <= word.start < hit.end for hit in clause.hits)
        ):
            break
        kept.insert(0, word)
    start = kept[0].start if kept else person.start
    return _titled(clause, start, person.end)


def _agent_name(clause: Clause, action: Hit | None, languages: Sequence[str]) -> str | None:
    """The agent named in a clause, with the words that tell it from others; None when none is told apart."""
    for hit in clause.hits:
        if hit.section != "agents" or (action is not None and hit.start > action.start):
            continue
        kept: list[Word] = []
        for word in reversed(_words_between(clause, clause.start, hit.start)[-3:]):
            if (
                word.solid
                or _function(word, languages)
                or any(word.form in grammar(language, "generic") for language in languages)
            ):
                break
            kept.insert(0, word)
        if kept:
            return _titled(clause, kept[0].start, hit.end)
    return None


def _deed_name(clause: Clause, action: Hit | None, languages: Sequence[str]) -> str:
    """The deed in the text's own words: from the verb on, without function words."""
    start = action.start if action is not None else clause.start
    words = _words_between(clause, start, clause.end)
    if any(word.solid for word in words[:1]):
        return clean(_text(clause, start, clause.end), _NAME_SOLID_CHARS)
    kept = [word for word in words if not _function(word, languages)]
    if action is not None and len(kept) < 2:  # the verb stands last: take what is before it
        kept = [word for word in _words_between(clause, clause.start, action.end) if not _function(word, languages)]
        kept = kept[-_NAME_WORDS:]
    raw = [clause.text[word.start - clause.start : word.end - clause.start] for word in (kept or words)[:_NAME_WORDS]]
    return clean(capitalised(raw) or clause.text, NAME_MAX_CHARS)


def _function(word: Word, languages: Sequence[str]) -> bool:
    return any(word.form in grammar(language, "skip") for language in languages)


def _titled(clause: Clause, start: int, end: int) -> str:
    return clean(capitalised([_text(clause, start, end)]), NAME_MAX_CHARS)


def _text(clause: Clause, start: int, end: int) -> str:
    return clause.text[start - clause.start : end - clause.start]


def _copies(clause: Clause, languages: Sequence[str]) -> int:
    """How many of something: a number right before a word for agents; else 1."""
    for hit in clause.hits:
        if hit.section != "agents":
            continue
        for word in reversed(_words_between(clause, clause.start, hit.start)[-3:]):
            number = _number(word.form, languages)
            if number:
                return number
    return 1


def _number(form: str, languages: Sequence[str]) -> int:
    if form.isdecimal() and len(form) <= 7:
        return int(form)
    for language in languages:
        words = grammar_list(language)
        if form in words:
            return words.index(form) + 2
    return 0


def grammar_list(language: str) -> list[str]:
    """The words for two, three, four ... in a language."""
    return _NUMBERS.get(language, [])


_NUMBERS: dict[str, list[str]] = {
    "en": ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
    "es": ["dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"],
    "de": ["zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun", "zehn"],
    "fr": ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"],
    "pt": ["dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez"],
    "it": ["due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci"],
}
