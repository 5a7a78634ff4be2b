"""The parts a network is drawn from; each joins to what is open and leaves its own exits open."""

from collections.abc import Sequence

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.planning.offline.sketch import Exit, Sketch
from windtunnel.planning.offline.steps import Doer, Step

_ROLES: dict[str, AgentRole] = {
    "route": AgentRole.ROUTER, "check": AgentRole.CRITIC, "review": AgentRole.CRITIC, "compare": AgentRole.SPECIALIST,
    "score": AgentRole.SPECIALIST, "decide": AgentRole.SPECIALIST, "plan": AgentRole.PLANNER,
    "moderate": AgentRole.GUARDRAIL, "delegate": AgentRole.ORCHESTRATOR, "split": AgentRole.ORCHESTRATOR,
    "pay": AgentRole.INTEGRATION, "order": AgentRole.INTEGRATION, "book": AgentRole.INTEGRATION,
    "ship": AgentRole.INTEGRATION, "update": AgentRole.INTEGRATION, "publish": AgentRole.INTEGRATION,
    "deploy": AgentRole.INTEGRATION, "notify": AgentRole.INTEGRATION, "undo": AgentRole.INTEGRATION,
    "calculate": AgentRole.SPECIALIST, "translate": AgentRole.SPECIALIST, "search": AgentRole.SPECIALIST,
    "negotiate": AgentRole.SPECIALIST, "run": AgentRole.INTEGRATION,
}  # fmt: skip

REWORK = 0.3
"""Share of drafts that go back: a prior."""
_EXCEPTION = 0.2
_OTHERWISE = "otherwise"

Part = tuple[str, str]
"""A name, and what it is responsible for."""


def role_of(step: Step) -> AgentRole:
    """The role of a step's doer; a person is always a person, an agent named in the text thinks for itself."""
    if step.doer is Doer.PERSON:
        return AgentRole.HUMAN
    role = _ROLES.get(step.action or "", AgentRole.WORKER)
    return AgentRole.WORKER if role is AgentRole.INTEGRATION and step.named else role


def add_step(sketch: Sketch, step: Step, role: AgentRole | None = None) -> str:
    """Add the agent of a step, without links."""
    chosen = role or role_of(step)
    order = "Look at what you are given and decide." if chosen is AgentRole.HUMAN else "Do your part and pass it on."
    return sketch.add(step.name, chosen, step.text, f"{order} The scenario says: {step.text}", copies=step.copies)


def draw_step(sketch: Sketch, step: Step, role: AgentRole | None = None) -> str:
    """One step in sequence."""
    return sketch.follow(add_step(sketch, step, role), step.name)


def draw_gate(sketch: Sketch, step: Step, *, last: bool) -> str:
    """A person who must agree: all work passes them, or only the exceptions when there is a condition."""
    before = sketch.open
    key = add_step(sketch, step, AgentRole.HUMAN)
    if not step.conditional or not before:
        return sketch.follow(key, step.name)
    _lead_exceptions(sketch, before, [(key, step)], last=last)
    return key


def draw_branches(sketch: Sketch, steps: Sequence[Step], *, last: bool) -> None:
    """Steps that happen only under a condition; the work that meets none goes past them."""
    before = sketch.open
    _lead_exceptions(sketch, before, [(add_step(sketch, step), step) for step in steps], last=last)


def _lead_exceptions(
    sketch: Sketch, before: Sequence[Exit], branches: Sequence[tuple[str, Step]], *, last: bool
) -> None:
    share = min(_EXCEPTION, 0.8 / len(branches))
    for exit_ in before:
        whole = 1.0 if exit_.probability is None else exit_.probability
        for key, step in branches:
            sketch.link(exit_.key, key, step.name, condition=step.text, probability=round(whole * share, 4))
    sketch.open = [Exit(key) for key, _ in branches]
    if last:
        sketch.ends += [exit_.key for exit_ in before]
        return
    for exit_ in before:
        whole = 1.0 if exit_.probability is None else exit_.probability
        sketch.open.append(Exit(exit_.key, _OTHERWISE, round(whole * (1 - share * len(branches)), 4)))


def draw_router(sketch: Sketch, language: str, router: Step | None, branches: Sequence[Part]) -> None:
    """A router and one specialist per branch, which meet again behind."""
    if router is not None:
        key = draw_step(sketch, router, AgentRole.ROUTER)
    else:
        told = f"Decides which of {len(branches)} specialists takes each item."
        key = sketch.follow(sketch.part(language, "router", AgentRole.ROUTER, told), "item")
    share = round(1 / len(branches), 4)
    sketch.open = []
    for index, (name, text) in enumerate(branches):
        specialist = sketch.add(name, AgentRole.SPECIALIST, text)
        rest = round(1 - share * (len(branches) - 1), 4)
        last = index == len(branches) - 1
        sketch.link(key, specialist, name, condition=name, probability=rest if last else share)
        sketch.open.append(Exit(specialist))


def open_hub(sketch: Sketch, language: str) -> str:
    """The one agent from which work fans out: the open one, else a new one that splits the work."""
    if len(sketch.open) == 1 and sketch.open[0].probability is None:
        return sketch.open[0].key
    told = "Splits the work into parts that do not depend on each other."
    return sketch.follow(sketch.part(language, "splitter", AgentRole.ORCHESTRATOR, told), "work")


def draw_fan(sketch: Sketch, language: str, workers: Sequence[Part], merger: Step | None, *, copies: int = 1) -> None:
    """Independent workers at once, and one agent that puts their results together."""
    hub = open_hub(sketch, language)
    each = max(1, round(copies / len(workers)))
    keys = [sketch.add(name, AgentRole.WORKER, text, copies=each) for name, text in workers]
    for key in keys:
        sketch.link(hub, key, "part of the work", kind=LinkKind.DATA)
    sketch.open = [Exit(key) for key in keys]
    draw_merger(sketch, language, merger)


def draw_merger(sketch: Sketch, language: str, merger: Step | None) -> None:
    """The agent that puts together what the open ones bring."""
    if merger is not None:
        key = add_step(sketch, merger)
    else:
        key = sketch.part(language, "merger", AgentRole.WORKER, "Puts the partial results together.")
    sketch.follow(key, "partial result", kind=LinkKind.DATA)


def draw_critic(sketch: Sketch, language: str, critic: Step | None) -> None:
    """A critic behind the agent drawn last, and the way back while the result is not good enough."""
    makers = sketch.open
    if critic is not None:
        key = add_step(sketch, critic, AgentRole.CRITIC)
    else:
        key = sketch.part(language, "critic", AgentRole.CRITIC, "Scores the result against the criteria.")
    sketch.follow(key, "draft", kind=LinkKind.DATA)
    if makers:
        draw_way_back(sketch, key, makers[-1].key, "what to improve", condition="not good enough")


def draw_way_back(
    sketch: Sketch, source: str, target: str, what: str, *, condition: str, share: float = REWORK
) -> None:
    """Some of the work goes back; the rest goes on from `source`."""
    sketch.link(source, target, what, kind=LinkKind.FEEDBACK, condition=condition, probability=share)
    sketch.open = [Exit(source, None, round(1 - share, 4))]


def draw_guard(sketch: Sketch, language: str, step: Step | None) -> str:
    """A checker that lets pass what the policy allows."""
    if step is not None:
        return draw_step(sketch, step, AgentRole.GUARDRAIL)
    told = "Checks what comes in and goes out against the policy; fails closed."
    return sketch.follow(sketch.part(language, "guard", AgentRole.GUARDRAIL, told), "item")
