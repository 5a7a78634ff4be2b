"""The drawing board: the steps in order, those done, and the patterns that still want a place among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from windtunnel.planning.offline.sketch import Sketch
from windtunnel.planning.offline.steps import Step, is_gate
from windtunnel.planning.reading.reading import Reading

MERGING = frozenset({"merge", "compare", "summarise", "decide"})
_WRITING = frozenset({"pay", "order", "book", "ship", "publish", "deploy", "undo", "update", "act", "notify"})
_IRREVERSIBLE = frozenset({"pay", "order", "book", "ship", "publish", "deploy"})
_LOOKING = frozenset(
    {"collect", "read", "extract", "monitor", "search", "check", "review", "score", "compare", "summarise", "route"}
)
_STEM = 5

ANCHORS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "hierarchical": (frozenset(), ("hierarchy",)),
    "supervisor_workers": (frozenset({"delegate", "split"}), ("delegate", "team")),
    "blackboard": (frozenset(), ("shared_board",)),
    "debate_voting": (frozenset({"debate", "vote"}), ("debate", "vote")),
    "peer_negotiation": (frozenset({"negotiate"}), ("negotiate", "partner")),
    "parallel_fan_out": (frozenset(), ("parallel", "each")),
    "router_triage": (frozenset({"route"}), ("route", "kinds")),
    "code_sandbox": (frozenset({"code"}), ("code", "sandbox")),
    "planner_executor": (frozenset({"plan"}), ("plan", "replan")),
    "evaluator_optimizer": (frozenset({"review", "check", "score"}), ("review", "improve", "until", "again")),
}
"""Per pattern the deeds and concepts of the step that it is drawn at; those above come first at the same step."""

_COVERED: dict[str, frozenset[str]] = {
    "parallel_fan_out": frozenset({"supervisor_workers", "hierarchical", "blackboard", "debate_voting"}),
    "supervisor_workers": frozenset({"hierarchical", "blackboard"}),
}
"""A pattern whose parts the others bring along is not drawn a second time."""


@dataclass(slots=True)
class Drawing:
    """Where the drawing stands: `at` is the next step, `todo` the patterns to draw at each."""

    reading: Reading
    steps: list[Step]
    sketch: Sketch = field(default_factory=Sketch)
    at: int = 0
    todo: dict[int, list[str]] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The language of names that the text does not give."""
        return self.reading.language

    @property
    def step(self) -> Step:
        """The next step."""
        return self.steps[self.at]

    @property
    def done(self) -> bool:
        """True when every step is drawn."""
        return self.at >= len(self.steps)

    def take(self, wanted: Callable[[Step], bool], limit: int) -> list[Step]:
        """The next steps, as long as they are wanted, no gate, and no place of another pattern."""
        taken: list[Step] = []
        while (
            len(taken) < limit
            and not self.done
            and not is_gate(self.step)
            and not self.todo.get(self.at)
            and wanted(self.step)
        ):
            taken.append(self.step)
            self.at += 1
        return taken

    def take_merger(self) -> Step | None:
        """The next step, when it puts results together."""
        found = self.take(lambda step: step.action in MERGING or step.has("aggregate"), 1)
        return found[0] if found else None


def place(drawing: Drawing, patterns: Sequence[str]) -> None:
    """Give each pattern the step that speaks of it most."""
    for pattern, (deeds, concepts) in ANCHORS.items():
        if pattern not in patterns or _COVERED.get(pattern, frozenset()).intersection(patterns):
            continue
        scores = [
            (2 * (step.action in deeds) + sum(step.has(concept) for concept in concepts), -index)
            for index, step in enumerate(drawing.steps)
            if not is_gate(step)
        ]
        if scores:
            drawing.todo.setdefault(-max(scores)[1], []).append(pattern)


def ordered(steps: Sequence[Step]) -> list[Step]:
    """Gates stand before the step they guard: the one they speak of, else, at the end, the last that writes."""
    found = list(steps)
    for gate in [step for step in steps if is_gate(step)]:
        at = found.index(gate)
        target = _guarded(found, at)
        if target is not None:
            found.insert(target, found.pop(at))
        elif gate.conditional and not any(not is_gate(step) for step in found[:at]):
            found.insert(_guarded_later(found, at), found.pop(at))
    return found


def _guarded_later(found: Sequence[Step], at: int) -> int:
    """Where an exception goes that is told before all the work: right before the step it guards, else behind all."""
    rest = found[at + 1 :]
    spoken = [index for index, step in enumerate(rest) if not is_gate(step) and _shares_word(step, found[at])]
    final = [index for index, step in enumerate(rest) if not is_gate(step) and _does(step) & _IRREVERSIBLE]
    writing = [index for index, step in enumerate(rest) if not is_gate(step) and _does(step) & _WRITING]
    places = [index for index in spoken if index in writing] or final or writing[-1:]
    return at + max(1, places[0]) if places else len(found) - 1


def _guarded(found: Sequence[Step], at: int) -> int | None:
    """The place of the step that the gate at `at` guards, when the text tells it before the gate."""
    gate = found[at]
    before = [index for index in range(at) if not is_gate(found[index]) and _does(found[index]) & _WRITING]
    spoken = [
        index
        for index in before
        if _shares_word(found[index], gate) or _does(found[index]) & gate.deeds() & _IRREVERSIBLE
    ]
    for index in spoken:
        if _does(found[index]) & _IRREVERSIBLE:
            return index
    if spoken:
        return spoken[-1]
    if gate.has("approve", "needs") and all(is_gate(step) for step in found[at + 1 :]):
        final = [index for index in before if _does(found[index]) & _IRREVERSIBLE]
        if final:
            return final[-1]
        if before[-1:] == [at - 1]:
            return at - 1
    return None


def _does(step: Step) -> frozenset[str]:
    """What is done in a step, also by a noun: "issues a refund". Who only looks at something does nothing to it."""
    if step.action in _LOOKING:
        return step.deeds()
    named = {hit.concept for hit in step.clause.hits if hit.section == "actions"}
    return step.deeds() | named


def _shares_word(step: Step, gate: Step) -> bool:
    ours = {word.form[:_STEM] for word in step.clause.words if len(word.form) >= _STEM}
    return any(word.form[:_STEM] in ours for word in gate.clause.words if len(word.form) >= _STEM)
