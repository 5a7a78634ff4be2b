"""The Architecture Planner offline: a connected network from the steps of the text and the patterns found in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from windtunnel.domain.architectures import AgentRole
from windtunnel.domain.words import counted
from windtunnel.planning.answers import ArchitectAnswer
from windtunnel.planning.naming import clean
from windtunnel.planning.offline import blocks, teams
from windtunnel.planning.offline.blocks import Part, role_of
from windtunnel.planning.offline.drawing import MERGING, Drawing, ordered, place
from windtunnel.planning.offline.frame import (
    draw_approver,
    draw_retriever,
    draw_undo,
    draw_watcher,
    guards_itself,
    is_undo,
)
from windtunnel.planning.offline.lists import agents_near, items_of
from windtunnel.planning.offline.patterns import patterns_of
from windtunnel.planning.offline.steps import STEPS_MAX, Doer, Step, is_gate, loose_steps_of, steps_of
from windtunnel.planning.offline.wording import how_it_works
from windtunnel.planning.reading.lexicon import label
from windtunnel.planning.reading.reading import Reading, read

_PIPELINE = "sequential_pipeline"
_CROWD = 3
_MEMBERS_MAX = 5


def design(text: str) -> ArchitectAnswer:
    """The network for a scenario: always connected, its agents named in the text's words."""
    reading = read(text)
    patterns = patterns_of(reading)
    steps = ordered(steps_drawn(reading, patterns))
    undo = next((step for step in steps if is_undo(step)), None) if "saga_transaction" in patterns else None
    drawing = Drawing(reading, [step for step in steps if step is not undo] or steps)
    place(drawing, patterns)
    if "event_driven_monitor" in patterns:
        draw_watcher(drawing)
    if "guardrail" in patterns and not guards_itself(drawing):
        blocks.draw_guard(drawing.sketch, drawing.language, None)
    while not drawing.done:
        _draw_next(drawing)
    if "rag" in patterns:
        draw_retriever(drawing)
    if "saga_transaction" in patterns:
        draw_undo(drawing, undo)
    if "human_approval_gate" in patterns:
        draw_approver(drawing)
    sketch = drawing.sketch
    if len(sketch.agents) == 1:
        patterns = [name for name in patterns if name != _PIPELINE] or ["single_agent"]
    entries, exits = sketch.close()
    return ArchitectAnswer(
        summary=_summary(drawing, patterns),
        patterns=patterns,
        agents=sketch.agents,
        links=sketch.links,
        entry_points=entries,
        exit_points=exits,
    )


def steps_drawn(reading: Reading, patterns: Sequence[str]) -> list[Step]:
    """The steps of the text, at most `STEPS_MAX`; cut more finely when the patterns need more agents than the verbs
    that are known."""
    return _enough_steps(reading, patterns)[:STEPS_MAX]


def _enough_steps(reading: Reading, patterns: Sequence[str]) -> list[Step]:
    steps = steps_of(reading)
    needed = 1 if {_PIPELINE, "event_driven_monitor"}.isdisjoint(patterns) else 2
    doing = [step for step in steps if not is_gate(step)]
    if len(doing) < needed:
        loose = loose_steps_of(reading)
        if len(loose) > len(steps):
            return loose
    if not doing:
        clause = steps[0].clause
        return [Step(label(reading.language, "assistant"), None, Doer.AGENT, named=False, clause=clause), *steps]
    return steps


def _draw_next(drawing: Drawing) -> None:
    todo = drawing.todo.pop(drawing.at, [])
    sketch, step = drawing.sketch, drawing.step
    drawing.at += 1
    main = next((pattern for pattern in todo if pattern in _DRAW), None)
    if main is not None:
        _DRAW[main](drawing, step)
    elif is_gate(step):
        blocks.draw_gate(sketch, step, last=drawing.done)
    elif "evaluator_optimizer" in todo and role_of(step) is AgentRole.CRITIC and sketch.open:
        blocks.draw_critic(sketch, drawing.language, step)
        return
    elif step.copies >= _CROWD:
        _draw_fan(drawing, step)
    elif step.action == "moderate":
        blocks.draw_guard(sketch, drawing.language, step)
    elif step.conditional and sketch.open:
        others = drawing.take(lambda other: other.conditional, _MEMBERS_MAX - 1)
        blocks.draw_branches(sketch, [step, *others], last=drawing.done)
    else:
        blocks.draw_step(sketch, step)
    if "evaluator_optimizer" in todo:
        critic = drawing.take(lambda other: role_of(other) is AgentRole.CRITIC, 1)
        blocks.draw_critic(sketch, drawing.language, critic[0] if critic else None)


def _draw_hierarchy(drawing: Drawing, step: Step) -> None:
    workers: list[Part | Step] = list(drawing.take(lambda other: not other.has("hierarchy"), 4))
    workers = workers or [(name, step.text) for name in agents_near(drawing.reading, step.clause)[:_MEMBERS_MAX]]
    leads = [f"{label(drawing.language, 'team')} {number}" for number in (1, 2)]
    teams.draw_hierarchy(drawing.sketch, drawing.language, step, leads, workers)


def _draw_team(drawing: Drawing, step: Step) -> None:
    lead = drawing.take(lambda other: other.action == "delegate", 1)
    head = replace(step, also=(*step.also, *(other.clause for other in lead)))
    workers: list[Part | Step] = list(
        drawing.take(lambda other: other.action not in MERGING and not other.has("aggregate"), 4)
    )
    if not workers:
        names = agents_near(drawing.reading, step.clause) or items_of(drawing.reading, step.clause)
        workers = [(name, step.text) for name in names[:_MEMBERS_MAX] if name != step.name]
    teams.draw_team(drawing.sketch, drawing.language, head, workers, drawing.take_merger())


def _draw_board(drawing: Drawing, step: Step) -> None:
    experts: list[Part | Step] = list(drawing.take(lambda other: other.action not in {"publish", "decide"}, 4))
    drawing.take(lambda other: other.has("shared_board"), 1)
    lead = drawing.take(lambda other: other.action in {"decide", "delegate"}, 1)
    if not experts:
        experts = [(name, step.text) for name in agents_near(drawing.reading, step.clause)[:_MEMBERS_MAX]]
    teams.draw_board(drawing.sketch, drawing.language, experts or [step], step.text, lead[0] if lead else None)


def _draw_debate(drawing: Drawing, step: Step) -> None:
    names = [name for name in agents_near(drawing.reading, step.clause) if name not in _later_names(drawing)]
    if len(names) < 2 and step.copies >= _CROWD:
        names = [f"{label(drawing.language, 'specialist')} {number}" for number in range(1, step.copies + 1)]
    if len(names) < 2:
        names = [label(drawing.language, "for"), label(drawing.language, "against")]
    judge = drawing.take(lambda other: other.action in {"decide", "vote", "merge"}, 1)
    sides = [(name, step.text) for name in names[:_MEMBERS_MAX]]
    teams.draw_debate(drawing.sketch, drawing.language, sides, judge[0] if judge else None)


def _later_names(drawing: Drawing) -> set[str]:
    return {step.name for step in drawing.steps[drawing.at :]}


def _draw_fan(drawing: Drawing, step: Step) -> None:
    names = items_of(drawing.reading, step.clause)
    copies = step.copies if names else max(_CROWD, step.copies)
    workers = [(name, step.text) for name in names[:_MEMBERS_MAX] or [step.name]]
    blocks.draw_fan(drawing.sketch, drawing.language, workers, drawing.take_merger(), copies=copies)


def _draw_router(drawing: Drawing, step: Step) -> None:
    following = drawing.take(lambda other: other.conditional, _MEMBERS_MAX)
    if len(following) >= 2:
        branches = [(other.name, other.text) for other in following]
    else:
        drawing.at -= len(following)
        names = items_of(drawing.reading, step.clause)[:_MEMBERS_MAX]
        names = names or [f"{label(drawing.language, 'specialist')} {number}" for number in (1, 2)]
        branches = [(name, f"{name}: {step.text}") for name in names]
    router = step
    if not step.named and step.action != "route":
        router = replace(step, name=label(drawing.language, "router"))
    blocks.draw_router(drawing.sketch, drawing.language, router, branches)


def _draw_sandbox(drawing: Drawing, step: Step) -> None:
    following = drawing.take(lambda other: other.has("code", "sandbox") and other.action not in {"run", "update"}, 2)
    runner = drawing.take(lambda other: other.action == "run", 1)
    if step.action == "run" and not runner:
        runner, step = [step], following[0] if following else step
    coder = replace(step, also=(*step.also, *(other.clause for other in following))) if step not in runner else None
    teams.draw_sandbox(drawing.sketch, drawing.language, coder, runner[0] if runner else None)


def _draw_planner(drawing: Drawing, step: Step) -> None:
    sketch = drawing.sketch
    if step.action == "plan" or step.named:
        key = blocks.draw_step(sketch, step, AgentRole.PLANNER)
        doing = drawing.take(lambda other: not other.conditional, 1)
        if doing:
            last = blocks.draw_step(sketch, doing[0])
        else:
            last = sketch.follow(sketch.part(drawing.language, "executor", AgentRole.WORKER, step.text), "plan")
    else:
        told = "Writes the plan and changes it when a step fails."
        key = sketch.follow(sketch.part(drawing.language, "planner", AgentRole.PLANNER, told), "goal")
        last = blocks.draw_step(sketch, step)
    blocks.draw_way_back(sketch, last, key, "what failed", condition="the plan does not hold", share=0.1)


def _draw_negotiation(drawing: Drawing, step: Step) -> None:
    teams.draw_negotiation(drawing.sketch, drawing.language, step)


_DRAW: dict[str, Callable[[Drawing, Step], None]] = {
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


def _summary(drawing: Drawing, patterns: Sequence[str]) -> str:
    agents = drawing.sketch.agents
    shown = ", ".join(agent.name for agent in agents[:6]) + (" and others" if len(agents) > 6 else "")
    people = sum(agent.role == AgentRole.HUMAN for agent in agents)
    count = counted(len(agents) - people, "agent")
    if people:
        count += f" and {people} {'person' if people == 1 else 'people'}"
    return clean(f"{count}: {shown}. {how_it_works(patterns)}.")
