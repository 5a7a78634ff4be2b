"""The Architecture Planner offline: a connected network from the steps of the text and the patterns found in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.domain.policy import ARCHITECTURE_MAX_AGENTS
from windtunnel.planning.answers import ArchitectAnswer
from windtunnel.planning.naming import clean
from windtunnel.planning.offline import blocks
from windtunnel.planning.offline.blocks import role_of
from windtunnel.planning.offline.lists import items_of
from windtunnel.planning.offline.patterns import patterns_of
from windtunnel.planning.offline.sketch import Exit, Sketch
from windtunnel.planning.offline.steps import STEPS_MAX, Doer, Step, is_gate, steps_of
from windtunnel.planning.reading.lexicon import label
from windtunnel.planning.reading.reading import Reading, read

_WRITING = frozenset({"pay", "order", "book", "ship", "publish", "deploy", "undo", "update", "act", "notify"})
_MERGING = frozenset({"merge", "compare", "summarise", "decide"})
_MAKING = frozenset({"draft", "code", "translate", "act", "calculate", "plan", "summarise", "decide"})

_ANCHORS: dict[str, tuple[str, ...]] = {
    "hierarchical": ("hierarchy",),
    "supervisor_workers": ("delegate",),
    "blackboard": ("shared_board",),
    "debate_voting": ("debate", "vote"),
    "peer_negotiation": ("negotiate", "partner"),
    "parallel_fan_out": ("parallel", "each"),
    "router_triage": ("route", "kinds"),
    "code_sandbox": ("code", "sandbox"),
    "planner_executor": ("plan", "replan"),
    "evaluator_optimizer": ("improve", "review", "until", "again"),
}
_ANCHOR_ACTIONS: dict[str, frozenset[str]] = {
    "supervisor_workers": frozenset({"delegate", "split"}),
    "router_triage": frozenset({"route"}),
    "debate_voting": frozenset({"debate", "vote"}),
    "peer_negotiation": frozenset({"negotiate"}),
    "code_sandbox": frozenset({"code"}),
    "planner_executor": frozenset({"plan"}),
    "evaluator_optimizer": frozenset({"review", "check", "score"}),
}


@dataclass(slots=True)
class _Drawing:
    """Where the drawing stands: the steps, which of them are done, and the patterns still to place."""

    reading: Reading
    language: str
    steps: list[Step]
    sketch: Sketch = field(default_factory=Sketch)
    at: int = 0
    todo: dict[int, list[str]] = field(default_factory=dict)

    @property
    def step(self) -> Step:
        return self.steps[self.at]

    def take(self, wanted: Callable[[Step], bool], limit: int) -> list[Step]:
        """The next steps, as long as they are wanted, unclaimed by other patterns, and no gate."""
        taken: list[Step] = []
        while (
            len(taken) < limit
            and self.at < len(self.steps)
            and not is_gate(self.step)
            and not self.todo.get(self.at)
            and wanted(self.step)
        ):
            taken.append(self.step)
            self.at += 1
        return taken

    def take_merger(self) -> Step | None:
        """The next step, when it puts results together."""
        found = self.take(lambda step: step.action in _MERGING or step.has("aggregate"), 1)
        return found[0] if found else None


def design(text: str) -> ArchitectAnswer:
    """The network for a scenario: always connected, its agents named in the text's words."""
    reading = read(text)
    patterns = patterns_of(reading)
    steps = _ordered(steps_of(reading))[: STEPS_MAX + 2]
    drawing = _Drawing(reading, reading.language, steps)
    _anchor(drawing, patterns)
    if "event_driven_monitor" in patterns:
        _draw_watcher(drawing)
    if "guardrail" in patterns and _guards_input(drawing):
        blocks.draw_guard(drawing.sketch, drawing.language, None)
    while drawing.at < len(drawing.steps):
        _draw_next(drawing)
    sketch = drawing.sketch
    if "rag" in patterns:
        _draw_retriever(drawing)
    if "saga_transaction" in patterns:
        _draw_undo(drawing)
    if "human_approval_gate" in patterns and not any(agent.role == AgentRole.HUMAN for agent in sketch.agents):
        _draw_approver(drawing)
    entries, exits = sketch.close()
    return ArchitectAnswer(
        summary=_summary(drawing, patterns),
        patterns=patterns,
        agents=sketch.agents[:ARCHITECTURE_MAX_AGENTS],
        links=sketch.links,
        entry_points=entries,
        exit_points=exits,
    )


def _ordered(steps: Sequence[Step]) -> list[Step]:
    """Gates stand before the step they guard: the one they speak of, else the last that writes."""
    ordered = list(steps)
    for gate in [step for step in steps if is_gate(step)]:
        at = ordered.index(gate)
        before = [index for index in range(at) if ordered[index].action in _WRITING and not is_gate(ordered[index])]
        spoken = [index for index in before if _shares_word(ordered[index], gate)]
        target = spoken[-1] if spoken else None
        if target is None and before and at == len(ordered) - 1 and gate.has("approve") and before[-1] == at - 1:
            target = before[-1]
        if target is not None and target > 0:
            ordered.insert(target, ordered.pop(at))
    return ordered


def _shares_word(step: Step, gate: Step) -> bool:
    ours = {word.form[:5] for word in step.clause.words if len(word.form) >= 5}
    return any(word.form[:5] in ours for word in gate.clause.words if len(word.form) >= 5)


def _anchor(drawing: _Drawing, patterns: Sequence[str]) -> None:
    """Give each pattern the step that speaks of it most; one pattern of a kind per step."""
    for pattern, concepts in _ANCHORS.items():
        if pattern not in patterns:
            continue
        actions = _ANCHOR_ACTIONS.get(pattern, frozenset())
        scores = [
            (2 * (step.action in actions) + sum(step.has(concept) for concept in concepts), -index)
            for index, step in enumerate(drawing.steps)
            if not is_gate(step)
        ]
        if scores:
            best = max(scores)
            drawing.todo.setdefault(-best[1], []).append(pattern)


def _draw_next(drawing: _Drawing) -> None:
    todo = drawing.todo.pop(drawing.at, [])
    sketch, language, step = drawing.sketch, drawing.language, drawing.step
    drawing.at += 1
    last = drawing.at == len(drawing.steps)
    main = next((pattern for pattern in todo if pattern in _DRAW), None)
    if main is not None:
        _DRAW[main](drawing, step)
    elif is_gate(step):
        blocks.draw_gate(sketch, step, last=last)
    elif "evaluator_optimizer" in todo and role_of(step) is AgentRole.CRITIC and sketch.open:
        blocks.draw_critic(sketch, language, step)
        return
    elif step.action == "moderate":
        _draw_guard(drawing, step)
    elif step.conditional and sketch.open:
        others = drawing.take(lambda other: other.conditional, 4)
        blocks.draw_branches(sketch, [step, *others], last=drawing.at == len(drawing.steps))
    else:
        blocks.draw_step(sketch, step)
    if "evaluator_optimizer" in todo:
        critic = drawing.take(lambda other: role_of(other) is AgentRole.CRITIC, 1)
        blocks.draw_critic(sketch, language, critic[0] if critic else None)


def _draw_hierarchy(drawing: _Drawing, step: Step) -> None:
    workers = drawing.take(lambda other: not other.has("hierarchy"), 4)
    names = [f"{label(drawing.language, 'team')} {number}" for number in (1, 2)]
    blocks.draw_hierarchy(drawing.sketch, drawing.language, step, names, workers)


def _draw_team(drawing: _Drawing, step: Step) -> None:
    workers = drawing.take(lambda other: other.action not in _MERGING and not other.has("aggregate"), 4)
    blocks.draw_team(drawing.sketch, drawing.language, step, workers, drawing.take_merger())


def _draw_board(drawing: _Drawing, step: Step) -> None:
    experts = drawing.take(lambda other: other.action not in {"publish", "decide"}, 4)
    drawing.take(lambda other: other.has("shared_board"), 1)
    lead = drawing.take(lambda other: other.action in {"decide", "delegate"}, 1)
    blocks.draw_board(drawing.sketch, drawing.language, experts or [step], step.text, lead[0] if lead else None)


def _draw_debate(drawing: _Drawing, step: Step) -> None:
    names = items_of(drawing.reading, step.clause, before=True) if not step.named else []
    if len(names) < 2:
        names = [label(drawing.language, "for"), label(drawing.language, "against")]
    judge = drawing.take(lambda other: other.action in {"decide", "vote", "merge"}, 1)
    sides = [(name, step.text) for name in names[:4]]
    blocks.draw_debate(drawing.sketch, drawing.language, sides, judge[0] if judge else None)


def _draw_fan(drawing: _Drawing, step: Step) -> None:
    names = items_of(drawing.reading, step.clause)
    if len(names) < 2:
        names = [f"{step.name} {number}" for number in (1, 2, 3)]
    workers = [(name, step.text) for name in names[:5]]
    blocks.draw_fan(drawing.sketch, drawing.language, workers, drawing.take_merger(), copies=step.copies)


def _draw_router(drawing: _Drawing, step: Step) -> None:
    following = drawing.take(lambda other: other.conditional, 5)
    if len(following) >= 2:
        names = [(other.name, other.text) for other in following]
    else:
        drawing.at -= len(following)
        names = [(name, f"{name}: {step.text}") for name in items_of(drawing.reading, step.clause)[:5]]
    if len(names) < 2:
        names = [(label(drawing.language, part), step.text) for part in ("general", "special")]
    router = step if step.action == "route" else None
    if router is None:
        blocks.draw_step(drawing.sketch, step)
    blocks.draw_router(drawing.sketch, drawing.language, router, names)


def _draw_sandbox(drawing: _Drawing, step: Step) -> None:
    following = drawing.take(lambda other: other.has("code", "sandbox") and other.action != "run", 2)
    runner = drawing.take(lambda other: other.action == "run", 1)
    coder = replace(step, also=(*step.also, *(other.clause for other in following)))
    blocks.draw_sandbox(drawing.sketch, drawing.language, coder, runner[0] if runner else None)


def _draw_planner(drawing: _Drawing, step: Step) -> None:
    planner = step if step.action == "plan" else None
    sketch = drawing.sketch
    if planner is not None:
        key = blocks.draw_step(sketch, planner, AgentRole.PLANNER)
    else:
        name = label(drawing.language, "planner")
        key = sketch.add(name, AgentRole.PLANNER, "Writes the plan and changes it when a step fails.")
        sketch.join(key, name)
        sketch.open = [Exit(key)]
        blocks.draw_step(sketch, step)
    executor = drawing.take(lambda other: not other.conditional, 1)
    if executor:
        blocks.draw_step(sketch, executor[0])
    elif planner is not None:
        name = label(drawing.language, "executor")
        added = sketch.add(name, AgentRole.WORKER, step.text, text=step.text)
        sketch.join(added, "plan")
        sketch.open = [Exit(added)]
    for exit_ in sketch.open:
        if exit_.key != key:
            sketch.link(
                exit_.key,
                key,
                "what failed",
                kind=LinkKind.FEEDBACK,
                condition="the plan does not hold",
                probability=0.1,
            )
    sketch.open = [replace(exit_, probability=0.9) for exit_ in sketch.open]


def _draw_negotiation(drawing: _Drawing, step: Step) -> None:
    blocks.draw_negotiation(drawing.sketch, drawing.language, step)


_DRAW: dict[str, Callable[[_Drawing, Step], None]] = {
    "hierarchical": _draw_hierarchy,
    "supervisor_workers": _draw_team,
    "blackboard": _draw_board,
    "debate_voting": _draw_debate,
    "peer_negotiation": _draw_negotiation,
    "parallel_fan_out": _draw_fan,
    "router_triage": _draw_router,
    "code_sandbox": _draw_sandbox,
    "planner_executor": _draw_planner,
}


def _draw_watcher(drawing: _Drawing) -> None:
    first = drawing.step
    sketch = drawing.sketch
    if first.action in {"monitor", "collect", "read"} and not is_gate(first) and not drawing.todo.get(0):
        drawing.at += 1
        key = blocks.draw_step(sketch, first, AgentRole.WORKER)
    else:
        clause = next((c for c in drawing.reading.clauses if c.has("monitor", "schedule", "whenever")), first.clause)
        name = label(drawing.language, "watcher")
        key = sketch.add(name, AgentRole.WORKER, clean(clause.text), text=clause.text)
        sketch.join(key, name)
        sketch.open = [Exit(key)]


def _guards_input(drawing: _Drawing) -> bool:
    return not any(
        step.action == "moderate" or (step.has("guard") and role_of(step) is AgentRole.CRITIC) for step in drawing.steps
    )


def _draw_guard(drawing: _Drawing, step: Step) -> None:
    blocks.draw_guard(drawing.sketch, drawing.language, step)


def _draw_retriever(drawing: _Drawing) -> None:
    """An index beside the agent that looks things up, else beside the one that answers first."""
    sketch = drawing.sketch
    searching = {step.name for step in drawing.steps if step.action == "search" or step.has("corpus")}
    user = next((agent for agent in sketch.agents if agent.name in searching and agent.role != AgentRole.HUMAN), None)
    user = user or next((agent for agent in sketch.agents if agent.role != AgentRole.HUMAN), sketch.agents[0])
    clause = next((c for c in drawing.reading.clauses if c.has("corpus")), drawing.reading.clauses[0])
    key = sketch.add(label(drawing.language, "retriever"), AgentRole.MEMORY, clean(clause.text), text="knowledge base")
    sketch.link(user.key, key, "query", kind=LinkKind.CALL)


def _draw_undo(drawing: _Drawing) -> None:
    sketch = drawing.sketch
    writers = [agent.key for agent in sketch.agents if agent.role == AgentRole.INTEGRATION][-3:]
    writers = writers or [exit_.key for exit_ in sketch.open][:1] or [sketch.agents[-1].key]
    blocks.draw_compensator(sketch, drawing.language, None, writers)


def _draw_approver(drawing: _Drawing) -> None:
    clause = next((c for c in drawing.reading.clauses if c.has("approve", "human", "wait")), None)
    text = clean(clause.text) if clause is not None else "A person agrees before the work goes out."
    step_clause = clause or drawing.reading.clauses[0]
    step = Step(label(drawing.language, "approver"), "approve", Doer.PERSON, False, step_clause, False, 1)
    key = blocks.draw_gate(drawing.sketch, step, last=True)
    drawing.sketch.sources[key] = text


def _summary(drawing: _Drawing, patterns: Sequence[str]) -> str:
    names = [agent.name for agent in drawing.sketch.agents]
    shown = ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
    people = sum(step.doer is Doer.PERSON for step in drawing.steps)
    kinds = ", ".join(pattern.replace("_", " ") for pattern in patterns)
    return clean(f"{len(names)} agents{' with people' if people else ''} ({kinds}): {shown}.")
