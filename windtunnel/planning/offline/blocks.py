"""The parts a network is drawn from: one function per pattern, each joining to what is open and leaving exits."""

from collections.abc import Sequence

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.planning.offline.sketch import Exit, Sketch
from windtunnel.planning.offline.steps import Doer, Step
from windtunnel.planning.reading.lexicon import label

_ROLES: dict[str, AgentRole] = {
    "route": AgentRole.ROUTER, "check": AgentRole.CRITIC, "review": AgentRole.CRITIC, "compare": AgentRole.SPECIALIST,
    "score": AgentRole.SPECIALIST, "decide": AgentRole.SPECIALIST, "plan": AgentRole.PLANNER,
    "moderate": AgentRole.GUARDRAIL, "delegate": AgentRole.ORCHESTRATOR, "split": AgentRole.ORCHESTRATOR,
    "pay": AgentRole.INTEGRATION, "order": AgentRole.INTEGRATION, "book": AgentRole.INTEGRATION,
    "ship": AgentRole.INTEGRATION, "update": AgentRole.INTEGRATION, "publish": AgentRole.INTEGRATION,
    "deploy": AgentRole.INTEGRATION, "notify": AgentRole.INTEGRATION, "undo": AgentRole.INTEGRATION,
    "act": AgentRole.WORKER, "calculate": AgentRole.SPECIALIST, "translate": AgentRole.SPECIALIST,
    "search": AgentRole.SPECIALIST, "negotiate": AgentRole.SPECIALIST, "run": AgentRole.INTEGRATION,
}  # fmt: skip

REWORK = 0.3
EXCEPTION = 0.2
ROLLBACK = 0.05
REJECTED = 0.05


def role_of(step: Step) -> AgentRole:
    """The role of a step's doer; a person is always a person, an agent named in the text thinks for itself."""
    if step.doer is Doer.PERSON:
        return AgentRole.HUMAN
    role = _ROLES.get(step.action or "", AgentRole.WORKER)
    if role is AgentRole.INTEGRATION and step.named:
        return AgentRole.WORKER
    return role


def add_step(sketch: Sketch, step: Step, role: AgentRole | None = None) -> str:
    """Add the agent of a step, without links."""
    chosen = role or role_of(step)
    if chosen is AgentRole.HUMAN:
        instructions = f"Look at what you are given and decide. The scenario says: {step.text}"
    else:
        instructions = f"Do your part and pass the result on. The scenario says: {step.text}"
    return sketch.add(step.name, chosen, step.text, instructions, copies=step.copies, text=step.text)


def draw_step(sketch: Sketch, step: Step, role: AgentRole | None = None) -> str:
    """One step in sequence."""
    key = add_step(sketch, step, role)
    sketch.join(key, step.name)
    sketch.open = [Exit(key)]
    return key


def draw_gate(sketch: Sketch, step: Step, *, last: bool) -> str:
    """A person who must agree: all work passes, or only the exceptions when there is a condition."""
    before = sketch.open
    key = add_step(sketch, step, AgentRole.HUMAN)
    if step.conditional and before:
        for exit_ in before:
            sketch.link(exit_.key, key, step.name, condition=step.text, probability=EXCEPTION)
        rest = [Exit(exit_.key, "otherwise", round(1 - EXCEPTION, 2)) for exit_ in before]
        sketch.open = [Exit(key)]
        if last:
            sketch.ends += [exit_.key for exit_ in before]
        else:
            sketch.open += rest
    else:
        sketch.join(key, step.name)
        sketch.open = [Exit(key)]
    return key


def draw_branches(sketch: Sketch, steps: Sequence[Step], *, last: bool) -> None:
    """Steps that happen only under a condition; the work that meets none goes past them."""
    before = sketch.open
    share = round(min(EXCEPTION, 0.8 / len(steps)), 2)
    exits: list[Exit] = []
    for step in steps:
        key = add_step(sketch, step)
        for exit_ in before:
            sketch.link(exit_.key, key, step.name, condition=step.text, probability=share)
        exits.append(Exit(key))
    rest = round(1 - share * len(steps), 2)
    if last:
        sketch.ends += [exit_.key for exit_ in before]
        sketch.open = exits
    else:
        sketch.open = exits + [Exit(exit_.key, "otherwise", rest) for exit_ in before]


def draw_router(sketch: Sketch, language: str, router: Step | None, branches: Sequence[tuple[str, str]]) -> None:
    """A router and one specialist per branch (name, text), which meet again behind."""
    if router is not None:
        key = draw_step(sketch, router, AgentRole.ROUTER)
    else:
        name = label(language, "router")
        key = sketch.add(name, AgentRole.ROUTER, f"Decides which of {len(branches)} specialists takes each item.")
        sketch.join(key, name)
    share = round(1 / len(branches), 2)
    exits = []
    for index, (name, text) in enumerate(branches):
        specialist = sketch.add(name, AgentRole.SPECIALIST, text, text=text)
        left = round(1 - share * (len(branches) - 1), 2) if index == len(branches) - 1 else share
        sketch.link(key, specialist, name, condition=name, probability=left)
        exits.append(Exit(specialist))
    sketch.open = exits


def draw_fan(
    sketch: Sketch, language: str, workers: Sequence[tuple[str, str]], merger: Step | None, *, copies: int = 1
) -> None:
    """Independent workers (name, text) at once, and one agent that puts the results together."""
    if not sketch.open:
        name = label(language, "splitter")
        splitter = sketch.add(name, AgentRole.ORCHESTRATOR, "Splits the work into independent parts.")
        sketch.join(splitter, name)
        sketch.open = [Exit(splitter)]
    before = sketch.open
    each = max(1, round(copies / len(workers)))
    keys = [sketch.add(name, AgentRole.WORKER, text, copies=each, text=text) for name, text in workers]
    for exit_ in before:
        for key in keys:
            sketch.link(exit_.key, key, sketch.name(key), condition=exit_.condition, probability=None)
    sketch.open = [Exit(key) for key in keys]
    if merger is not None:
        target = add_step(sketch, merger)
    else:
        target = sketch.add(label(language, "merger"), AgentRole.WORKER, "Puts the partial results together.")
    sketch.join(target, "partial result", kind=LinkKind.DATA)
    sketch.open = [Exit(target)]


def draw_team(sketch: Sketch, language: str, lead: Step | None, workers: Sequence[Step], merger: Step | None) -> None:
    """A lead that hands parts out to workers, and one agent that puts their results together."""
    if lead is not None:
        key = draw_step(sketch, lead, AgentRole.ORCHESTRATOR)
    else:
        name = label(language, "lead")
        key = sketch.add(name, AgentRole.ORCHESTRATOR, "Splits the task at run time and hands out the parts.")
        sketch.join(key, name)
    keys = [add_step(sketch, worker) for worker in workers]
    while len(keys) < 2:
        name = f"{label(language, 'specialist')} {len(keys) + 1}"
        text = lead.text if lead is not None else "Works on one part of the task."
        keys.append(sketch.add(name, AgentRole.SPECIALIST, text, text=text))
    for worker in keys:
        sketch.link(key, worker, "part of the task", kind=LinkKind.CALL)
    sketch.open = [Exit(worker) for worker in keys]
    if merger is not None:
        target = add_step(sketch, merger)
    else:
        target = sketch.add(label(language, "merger"), AgentRole.WORKER, "Puts the findings together.")
    sketch.join(target, "finding", kind=LinkKind.DATA)
    sketch.open = [Exit(target)]


def draw_hierarchy(
    sketch: Sketch, language: str, director: Step | None, leads: Sequence[str], workers: Sequence[Step]
) -> None:
    """A director, leads below, workers below those; results come together again."""
    if director is not None:
        top = draw_step(sketch, director, AgentRole.ORCHESTRATOR)
    else:
        name = label(language, "lead")
        top = sketch.add(name, AgentRole.ORCHESTRATOR, "Balances the work between the teams.")
        sketch.join(top, name)
    lead_keys = []
    for name in leads:
        key = sketch.add(name, AgentRole.ORCHESTRATOR, "Leads one team and reports up.")
        sketch.link(top, key, "goal of the team", kind=LinkKind.CALL)
        lead_keys.append(key)
    keys = []
    for index, worker in enumerate(workers):
        key = add_step(sketch, worker)
        sketch.link(lead_keys[index % len(lead_keys)], key, "task", kind=LinkKind.CALL)
        keys.append(key)
    while len(keys) < len(lead_keys):
        name = f"{label(language, 'worker')} {len(keys) + 1}"
        key = sketch.add(name, AgentRole.WORKER, "Does the team's work.")
        sketch.link(lead_keys[len(keys)], key, "task", kind=LinkKind.CALL)
        keys.append(key)
    sketch.open = [Exit(key) for key in keys]
    name = label(language, "merger")
    target = sketch.add(name, AgentRole.WORKER, "Rolls the teams' results up.")
    sketch.join(target, "result of the team", kind=LinkKind.DATA)
    sketch.open = [Exit(target)]


def draw_debate(sketch: Sketch, language: str, sides: Sequence[tuple[str, str]], judge: Step | None) -> None:
    """Sides (name, text) that answer independently, and a judge who decides."""
    before = sketch.open
    keys = [sketch.add(name, AgentRole.SPECIALIST, text, text=text) for name, text in sides]
    if before:
        for exit_ in before:
            for key in keys:
                sketch.link(exit_.key, key, "question", condition=exit_.condition)
    else:
        sketch.entries += keys
    sketch.open = [Exit(key) for key in keys]
    if judge is not None:
        target = add_step(sketch, judge)
    else:
        name = label(language, "judge")
        target = sketch.add(name, AgentRole.CRITIC, "Weighs the answers and decides; breaks ties.")
    sketch.join(target, "argument", kind=LinkKind.DATA)
    sketch.link(target, keys[0], "another round", kind=LinkKind.FEEDBACK, condition="no decision yet", probability=0.15)
    sketch.open = [Exit(target, None, 0.85)]


def draw_board(sketch: Sketch, language: str, experts: Sequence[Step], board_text: str, lead: Step | None) -> None:
    """Experts that post to a shared board, and a lead who reads it and decides what comes next."""
    before = sketch.open
    keys = [add_step(sketch, expert, None) for expert in experts]
    while len(keys) < 2:
        name = f"{label(language, 'specialist')} {len(keys) + 1}"
        keys.append(sketch.add(name, AgentRole.SPECIALIST, board_text, text=board_text))
    if before:
        for exit_ in before:
            for key in keys:
                sketch.link(exit_.key, key, "task", condition=exit_.condition)
    else:
        sketch.entries += keys
    name = label(language, "board")
    board = sketch.add(name, AgentRole.MEMORY, board_text, text="")
    for key in keys:
        sketch.link(key, board, "finding", kind=LinkKind.DATA)
    if lead is not None:
        target = add_step(sketch, lead, AgentRole.ORCHESTRATOR)
    else:
        target = sketch.add(
            label(language, "lead"), AgentRole.ORCHESTRATOR, "Reads the board and decides who acts next."
        )
    sketch.link(board, target, "state of the board", kind=LinkKind.EVENT)
    sketch.link(
        target, keys[0], "open question", kind=LinkKind.FEEDBACK, condition="something is missing", probability=0.2
    )
    sketch.open = [Exit(target, None, 0.8)]


def draw_negotiation(sketch: Sketch, language: str, step: Step) -> None:
    """A negotiator, the registry where it finds counterparts, and a counterpart that answers offers."""
    own = sketch.add(step.name, AgentRole.SPECIALIST, step.text, text=step.text)
    sketch.join(own, step.name)
    name = label(language, "registry")
    registry = sketch.add(name, AgentRole.MEMORY, "Lists who can be dealt with.")
    name = label(language, "counterpart")
    other = sketch.add(
        name, AgentRole.SPECIALIST, "Answers offers in its own interest; it is not ours and not trusted."
    )
    sketch.link(own, registry, "who is there", kind=LinkKind.CALL)
    sketch.link(own, other, "offer", kind=LinkKind.CALL)
    sketch.link(other, own, "counter-offer", kind=LinkKind.FEEDBACK, condition="no agreement yet", probability=0.4)
    sketch.open = [Exit(other, "agreement", 0.6)]


def draw_sandbox(sketch: Sketch, language: str, coder: Step | None, runner: Step | None) -> None:
    """A coder, a sandbox that runs the code, and the way back while it fails."""
    if coder is not None:
        writer = draw_step(sketch, coder, AgentRole.SPECIALIST)
    else:
        name = label(language, "coder")
        writer = sketch.add(name, AgentRole.SPECIALIST, "Writes and repairs the code.", text="code")
        sketch.join(writer, name)
        sketch.open = [Exit(writer)]
    if runner is not None:
        target = add_step(sketch, runner, AgentRole.INTEGRATION)
    else:
        name = label(language, "sandbox")
        target = sketch.add(name, AgentRole.INTEGRATION, "Runs the code and its tests in isolation.", text="sandbox")
    sketch.join(target, "code", kind=LinkKind.DATA)
    sketch.link(target, writer, "errors", kind=LinkKind.FEEDBACK, condition="it fails", probability=REWORK)
    sketch.open = [Exit(target, "it passes", round(1 - REWORK, 2))]


def draw_critic(sketch: Sketch, language: str, critic: Step | None) -> None:
    """A critic behind the agent drawn last, and the way back while the result is not good enough."""
    makers = [exit_.key for exit_ in sketch.open]
    if critic is not None:
        key = add_step(sketch, critic, None if critic.doer is Doer.PERSON else AgentRole.CRITIC)
    else:
        name = label(language, "critic")
        key = sketch.add(name, AgentRole.CRITIC, "Scores the result against the criteria.")
    sketch.join(key, "draft", kind=LinkKind.DATA)
    if makers:
        sketch.link(
            key, makers[0], "what to improve", kind=LinkKind.FEEDBACK, condition="not good enough", probability=REWORK
        )
        sketch.open = [Exit(key, "good enough", round(1 - REWORK, 2))]
    else:
        sketch.open = [Exit(key)]


def draw_guard(sketch: Sketch, language: str, step: Step | None) -> str:
    """A checker that lets pass what the policy allows."""
    if step is not None:
        return draw_step(sketch, step, AgentRole.GUARDRAIL)
    name = label(language, "guard")
    key = sketch.add(name, AgentRole.GUARDRAIL, "Checks input and output against the policy; fails closed.")
    sketch.join(key, name)
    sketch.open = [Exit(key)]
    return key


def draw_compensator(sketch: Sketch, language: str, step: Step | None, writers: Sequence[str]) -> None:
    """What undoes earlier steps when a later one fails."""
    if step is not None:
        key = add_step(sketch, step, AgentRole.INTEGRATION)
    else:
        key = sketch.add(label(language, "compensator"), AgentRole.INTEGRATION, "Undoes the steps done so far.")
    for writer in writers:
        sketch.link(writer, key, "undo", kind=LinkKind.EVENT, condition="a step failed", probability=ROLLBACK)
    sketch.ends.append(key)
