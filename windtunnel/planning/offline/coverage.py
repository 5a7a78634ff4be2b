"""Which sentences of a text became no part of the network, so that nothing is dropped silently."""

from collections.abc import Iterator

from windtunnel.domain.architectures import PlanningWarning
from windtunnel.planning.naming import clean
from windtunnel.planning.offline.architect import steps_drawn
from windtunnel.planning.offline.drawing import ANCHORS
from windtunnel.planning.offline.interpreter import BOUNDS
from windtunnel.planning.offline.patterns import patterns_of
from windtunnel.planning.offline.rules import is_rule
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading

_SHOWN = 3
_SHOWN_CHARS = 70
_SHORT_WORDS = 2
_SHORT_SOLID = 6
_SPOKEN: dict[str, tuple[str, ...]] = {
    "human_approval_gate": ("approve", "human", "wait", "needs"),
    "rag": ("corpus", "cite", "answer"),
    "guardrail": ("guard", "forbid", "sensitive", "fraud"),
    "saga_transaction": ("undo", "transaction"),
    "event_driven_monitor": ("monitor", "alert", "schedule", "whenever"),
}
"""Concepts of patterns that are drawn around the steps: a sentence that has one is drawn with the pattern."""


def not_drawn(reading: Reading) -> list[PlanningWarning]:
    """A warning that names the sentences of which nothing was drawn and no limit was noted; empty without any."""
    left = list(dict.fromkeys(_left(reading)))
    if not left:
        return []
    shown = ", ".join(f'"{text}"' for text in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return [PlanningWarning("NOT_DRAWN", f"Nothing of the network stands for: {shown}{more}.")]


def _left(reading: Reading) -> Iterator[str]:
    patterns = patterns_of(reading)
    concepts = {concept for name in patterns for concept in (*ANCHORS.get(name, ((), ()))[1], *_SPOKEN.get(name, ()))}
    starts = [part.start for step in steps_drawn(reading, patterns) for part in (step.clause, *step.also)]
    sentences: dict[int, list[Clause]] = {}
    for clause in reading.clauses:
        sentences.setdefault(clause.sentence, []).append(clause)
    for clauses in sentences.values():
        first, last = clauses[0].start, clauses[-1].end
        if any(first <= start < last for start in starts) or _is_short(clauses):
            continue
        if any(clause.has(*BOUNDS, *concepts) or is_rule(reading, clause) for clause in clauses):
            continue
        yield clean(reading.text[first:last], _SHOWN_CHARS)


def _is_short(clauses: list[Clause]) -> bool:
    words = [word for clause in clauses for word in clause.words]
    solid = sum(len(word.form) for word in words if word.solid)
    return len(words) <= _SHORT_WORDS and solid < _SHORT_SOLID
