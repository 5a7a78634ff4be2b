"""From clauses to steps: what is done, by whom, under which condition; and who of them is a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from windtunnel.planning.naming import NAME_MAX_CHARS, capitalised, clean, fold_all
from windtunnel.planning.offline.counts import copies_in
from windtunnel.planning.offline.doers import agents_in, deed_name, is_function, person_in, person_name
from windtunnel.planning.offline.rules import is_condition_of_next, is_letter_form, is_rule
from windtunnel.planning.reading.clauses import Clause, loosely
from windtunnel.planning.reading.lexicon import Hit, label
from windtunnel.planning.reading.reading import Reading

STEPS_MAX = 14
_APPROVING = frozenset({"approve", "decide", "check", "review", "escalate", "score"})
_WRITING = frozenset({"pay", "order", "book", "publish", "deploy", "ship"})
_ALSO_MAX = 4
_LISTED_WORDS = 2


class Doer(StrEnum):
    """Who does a step."""

    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `action` is the deed's concept (None when no verb was recognised), `named` tells whether the
    text names its doer, and `also` are further clauses that speak of the same."""

    name: str
    action: str | None
    doer: Doer
    named: bool
    clause: Clause
    conditional: bool = False
    copies: int = 1
    also: tuple[Clause, ...] = ()

    @property
    def text(self) -> str:
        """Every clause that this step stands for."""
        return "; ".join(clean(clause.text) for clause in (self.clause, *self.also))

    def deeds(self) -> frozenset[str]:
        """The concepts of everything that is done in its clauses."""
        return frozenset(deed.concept for clause in (self.clause, *self.also) for deed in clause.deeds)

    def has(self, *concepts: str) -> bool:
        """True when one of the concepts is in one of its clauses."""
        return any(clause.has(*concepts) for clause in (self.clause, *self.also))


def steps_of(reading: Reading) -> list[Step]:
    """The steps in the order of the text; the same doer or name twice is one step."""
    return list(_steps_of(reading))


@lru_cache(maxsize=8)
def _steps_of(reading: Reading) -> tuple[Step, ...]:
    found = _told(reading, with_rules=False) or _told(reading, with_rules=True)
    if not found:
        clause = reading.clauses[0]
        name = deed_name(clause, None, reading.known) if clause.words else label(reading.language, "assistant")
        found = [Step(name, None, Doer.AGENT, named=False, clause=clause)]
    return tuple(found)


def _told(reading: Reading, *, with_rules: bool) -> list[Step]:
    found: list[Step] = []
    condition: Clause | None = None
    for index, clause in enumerate(reading.clauses):
        if is_letter_form(reading, clause):
            continue
        if is_condition_of_next(reading, index):
            condition = clause
            continue
        steps = _steps(clause, reading, first=not found)
        if not with_rules and is_rule(reading, clause):
            steps = [step for step in steps if is_gate(step)]
        if condition is not None and steps:
            steps[0] = replace(steps[0], conditional=True, also=(condition,))
            condition = None
        for step in steps:
            _add(found, step)
    return [step for step in found if not _is_let_through(step, found)]


def _is_let_through(step: Step, found: Sequence[Step]) -> bool:
    """True for what a gate lets through when another step does it already: "refunds need a manager to sign off"."""
    if step.named or not any(is_gate(gate) and gate.clause is step.clause for gate in found):
        return False
    return any(
        not is_gate(other) and other.clause is not step.clause and step.action in other.deeds() for other in found
    )


def loose_steps_of(reading: Reading) -> list[Step]:
    """A step for every part between commas and joints, for texts whose verbs are not known.

    When some parts speak of a deed or a doer, only those do, and the words that stand in a list with them.
    """
    parts = [
        part
        for clause in reading.clauses
        if not is_letter_form(reading, clause)
        for part in loosely(clause, reading.text, reading.joints)
        if not is_letter_form(reading, part)
    ]
    telling = {part.sentence for part in parts if _tells(part)}
    found: list[Step] = []
    for part in parts:
        if len(telling) > 1 and not _tells(part) and (part.sentence not in telling or len(part.words) > _LISTED_WORDS):
            continue
        steps = _steps(part, reading, first=not found)
        if is_rule(reading, part):
            steps = [step for step in steps if is_gate(step)]
        elif not steps and not part.has("before", "if"):
            name = agents_in(part, reading.known)[:1] or [deed_name(part, None, reading.known)]
            copies = copies_in(part, reading.known)
            steps = [Step(name[0], None, Doer.AGENT, named=False, clause=part, copies=copies)]
        for step in steps:
            _add(found, step)
    return found


def _tells(part: Clause) -> bool:
    return any(hit.section in {"actions", "agents"} for hit in part.hits)


def is_gate(step: Step) -> bool:
    """True when a person has to agree before work goes on."""
    return step.doer is Doer.PERSON


def _steps(clause: Clause, reading: Reading, *, first: bool) -> list[Step]:
    languages = reading.known
    actions = clause.deeds
    person = person_in(clause, actions)
    if person is not None:
        return _gate_and_deed(clause, actions, person, languages)
    if not actions:
        return []
    action = actions[-1] if _starts_with_condition(clause) else actions[0]
    if first and _is_intake(clause, action):
        return [Step(label(reading.language, "intake"), "collect", Doer.AGENT, False, clause)]
    names = agents_in(clause, languages, action.start)
    name = names[0] if names else deed_name(clause, action, languages)
    copies = copies_in(clause, languages)
    return [Step(name, action.concept, Doer.AGENT, bool(names), clause, clause.has("if"), copies)]


def _gate_and_deed(clause: Clause, actions: Sequence[Hit], person: Hit, languages: Sequence[str]) -> list[Step]:
    """The person's step; and what may be done once they agree, when the clause says that as well."""
    concept = next((hit.concept for hit in actions if hit.concept in _APPROVING), "approve")
    conditional = clause.has("if", "limit") and not clause.has("before")
    gate = Step(person_name(clause, person, languages), concept, Doer.PERSON, True, clause, conditional)
    deed = next((hit for hit in actions if hit.concept in _WRITING), None)
    if deed is None or not clause.has("approve"):
        return [gate]
    return [gate, Step(_short(clause, deed, languages), deed.concept, Doer.AGENT, False, clause)]


def _short(clause: Clause, deed: Hit, languages: Sequence[str]) -> str:
    """The verb, with the word that follows when it is a thing: "published", "Purchase orders"."""
    end = deed.end
    after = next((word for word in clause.words if word.start >= deed.end), None)
    if after is not None and not after.solid and not after.form[:1].isdigit() and not is_function(after, languages):
        end = after.end
    return capitalised([clean(clause.text[deed.start - clause.start : end - clause.start], NAME_MAX_CHARS)])


def _starts_with_condition(clause: Clause) -> bool:
    """True for "if the hotel is full, cancel the flight": the deed follows the condition."""
    start = clause.words[0].start if clause.words else clause.start
    return any(hit.concept == "if" and hit.start == start for hit in clause.hits)


def _is_intake(clause: Clause, action: Hit) -> bool:
    """True when it is somebody outside who does it: customers e-mail us, citizens upload documents."""
    return any(
        hit.section == "people" and hit.concept == "outsider" and hit.start < action.start for hit in clause.hits
    ) and not any(hit.section == "agents" for hit in clause.hits)


def _add(found: list[Step], step: Step) -> None:
    key = fold_all(step.name)
    for index, known in enumerate(found):
        if fold_all(known.name) == key:
            if step.clause.text != known.clause.text and len(known.also) < _ALSO_MAX:
                found[index] = replace(known, also=(*known.also, step.clause))
            return
        again = known.action == step.action and step.action in _WRITING and not step.named
        if again and known.doer is step.doer and step.clause is found[-1].clause:
            return  # what a gate lets through was named before
    found.append(step)
