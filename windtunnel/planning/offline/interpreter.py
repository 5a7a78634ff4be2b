"""The Scenario Interpreter offline: goal, field, people, inputs, outputs, limits, and how sure it is."""

from windtunnel.planning.answers import InterpreterAnswer
from windtunnel.planning.naming import capitalised, clean
from windtunnel.planning.offline.lists import items_of
from windtunnel.planning.offline.patterns import patterns_of
from windtunnel.planning.offline.rules import is_rule
from windtunnel.planning.offline.steps import Doer, steps_of
from windtunnel.planning.reading.lexicon import Hit
from windtunnel.planning.reading.reading import Reading, read

_ENTERING = frozenset({"collect", "read", "extract", "monitor"})
_LEAVING = frozenset({"publish", "notify", "summarise", "pay", "order", "book", "deploy", "update", "ship", "answer"})
BOUNDS = ("limit", "policy", "urgent", "sensitive", "audit", "volume", "legacy", "unreliable", "schedule")
"""Concepts that make a clause a limit to keep."""


def interpret(text: str) -> InterpreterAnswer:
    """Read the scenario and say what was understood, assumed, and is still open."""
    reading = read(text)
    steps = steps_of(reading)
    people = list(dict.fromkeys(step.name for step in steps if step.doer is Doer.PERSON))
    named = [step.name for step in steps if step.named and step.doer is Doer.AGENT]
    entering: list[str] = []
    leaving: list[str] = []
    for clause in reading.clauses:
        deeds = {action.concept for action in clause.deeds}
        if deeds & _ENTERING and len(entering) < 3:
            entering.append(clean(clause.text, 120))
        if deeds & _LEAVING and len(leaving) < 3:
            leaving.append(clean(clause.text, 120))
    confidence = confidence_of(reading)
    return InterpreterAnswer(
        goal=clean(reading.clauses[0].text or text, 200),
        domain=domain_of(reading),
        actors=list(dict.fromkeys([*_outsiders(reading), *named, *people]))[:12],
        people=people[:8],
        inputs=list(dict.fromkeys(entering)) or [clean(reading.clauses[0].text or text, 120)],
        outputs=list(dict.fromkeys(leaving)) or [clean(reading.clauses[-1].text or text, 120)],
        constraints=_constraints(reading),
        assumptions=_assumptions(reading, people),
        clarifying_questions=_questions(reading, people, confidence),
        confidence=confidence,
    )


def confidence_of(reading: Reading) -> float:
    """How much of the text was understood, 0 to 1: the share of clauses with a deed, damped for short texts."""
    if not reading.clauses:
        return 0.1
    understood = sum(bool(clause.deeds) for clause in reading.clauses) / len(reading.clauses)
    concepts = min(1.0, len(reading.found()) / 5)
    length = min(1.0, reading.word_count / 12) if not any(word.solid for word in reading.clauses[0].words) else 1.0
    known = 0.0 if not reading.found() and not reading.found("actions") else 0.15
    return round(min(0.95, 0.05 + known + (0.4 * understood + 0.4 * concepts) * (0.3 + 0.7 * length)), 2)


def domain_of(reading: Reading) -> str:
    """The field of work that the words point to; `general` when none does."""
    fields = sorted(reading.found("domains"), key=lambda name: (-reading.count("domains", name), name))
    return fields[0].replace("_", " ") if fields else "general"


def _outsiders(reading: Reading) -> list[str]:
    found = [
        capitalised([_text(reading, hit)])
        for clause in reading.clauses
        for hit in clause.hits
        if hit.section == "people" and hit.concept == "outsider"
    ]
    return list(dict.fromkeys(found))[:5]


def _text(reading: Reading, hit: Hit) -> str:
    return clean(reading.text[hit.start : hit.end], 40)


def _constraints(reading: Reading) -> list[str]:
    found = [clean(clause.text, 160) for clause in reading.clauses if clause.has(*BOUNDS) or is_rule(reading, clause)]
    return list(dict.fromkeys(found))[:8]


def _assumptions(reading: Reading, people: list[str]) -> list[str]:
    found = ["Steps that the text does not order happen one after another."]
    if not people and "human_approval_gate" not in patterns_of(reading):
        found.append("No person has to agree before the agents act.")
    if "volume" not in reading.found():
        found.append("The load is moderate: a few items at a time.")
    if patterns_of(reading) == ["single_agent"]:
        found.append("One agent with tools is enough.")
    return found


def _questions(reading: Reading, people: list[str], confidence: float) -> list[str]:
    found = reading.found()
    questions = []
    if confidence < 0.4:
        questions.append("What should the agents do, step by step, and what comes out at the end?")
        questions.append("What comes in, and from whom?")
    if not people and "human_approval_gate" not in patterns_of(reading):
        questions.append("Which steps must a person approve?")
    if "router_triage" in patterns_of(reading) and not any(
        items_of(reading, clause) for clause in reading.clauses if clause.has("route")
    ):
        questions.append("Which kinds of items are told apart, and who takes each?")
    if "volume" not in found:
        questions.append("How many items arrive per hour, and how fast must each be done?")
    if "undo" not in found and reading.found("tools") & {"payments", "orders", "booking", "ci_cd"}:
        questions.append("What should happen to steps already done when a later one fails?")
    return questions[:5]
