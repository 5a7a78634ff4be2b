"""Parts of several agents that work together: teams, hierarchies, debates, boards, negotiations, sandboxes."""

from collections.abc import Sequence

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.planning.offline.blocks import Part, add_step, draw_merger, draw_step, draw_way_back, open_hub
from windtunnel.planning.offline.sketch import Exit, Sketch
from windtunnel.planning.offline.steps import Step
from windtunnel.planning.reading.lexicon import label

_ROLLBACK = 0.05
_ANOTHER_ROUND = 0.15
_NO_AGREEMENT = 0.4
_MISSING = 0.2
_SPAN = 2


def draw_team(
    sketch: Sketch, language: str, lead: Step | None, workers: Sequence[Part | Step], merger: Step | None
) -> None:
    """A lead that hands parts out to workers, and one agent that puts their results together."""
    if lead is not None:
        key = draw_step(sketch, lead, AgentRole.ORCHESTRATOR)
    else:
        told = "Splits the task at run time and hands out the parts."
        key = sketch.follow(sketch.part(language, "lead", AgentRole.ORCHESTRATOR, told), "task")
    keys = _members(sketch, language, workers, lead.text if lead is not None else "Works on one part of the task.")
    for worker in keys:
        sketch.link(key, worker, "part of the task", kind=LinkKind.CALL)
    sketch.open = [Exit(worker) for worker in keys]
    draw_merger(sketch, language, merger)


def draw_hierarchy(
    sketch: Sketch, language: str, director: Step | None, leads: Sequence[str], workers: Sequence[Part | Step]
) -> None:
    """A director, leads below, workers below those; results come together again."""
    if director is not None:
        top = draw_step(sketch, director, AgentRole.ORCHESTRATOR)
    else:
        told = "Sets the goals and balances the work between the teams."
        top = sketch.follow(sketch.part(language, "lead", AgentRole.ORCHESTRATOR, told), "goal")
    below = []
    for name in leads:
        key = sketch.add(name, AgentRole.ORCHESTRATOR, "Leads one team and reports up.")
        sketch.link(top, key, "goal of the team", kind=LinkKind.CALL)
        below.append(key)
    keys = _members(sketch, language, workers, "Does the team's work.", part="worker")
    for index, key in enumerate(keys):
        sketch.link(below[index % len(below)], key, "task", kind=LinkKind.CALL)
    sketch.open = [Exit(key) for key in keys]
    draw_merger(sketch, language, None)


def draw_debate(sketch: Sketch, language: str, sides: Sequence[Part], judge: Step | None) -> None:
    """Sides that answer independently, and a judge who decides."""
    hub = open_hub(sketch, language) if sketch.open else None
    keys = [sketch.add(name, AgentRole.SPECIALIST, text) for name, text in sides]
    if hub is None:
        sketch.entries += keys
    else:
        for key in keys:
            sketch.link(hub, key, "question", kind=LinkKind.DATA)
    sketch.open = [Exit(key) for key in keys]
    if judge is not None:
        target = add_step(sketch, judge, None if judge.named else AgentRole.CRITIC)
    else:
        target = sketch.part(language, "judge", AgentRole.CRITIC, "Weighs the answers and decides; breaks ties.")
    sketch.follow(target, "argument", kind=LinkKind.DATA)
    draw_way_back(sketch, target, keys[0], "another round", condition="no decision yet", share=_ANOTHER_ROUND)


def draw_board(
    sketch: Sketch, language: str, experts: Sequence[Part | Step], board_text: str, lead: Step | None
) -> None:
    """Experts that post to a shared board, and a lead who reads it and decides what comes next."""
    hub = open_hub(sketch, language) if sketch.open else None
    keys = _members(sketch, language, experts, board_text)
    if hub is None:
        sketch.entries += keys
    else:
        for key in keys:
            sketch.link(hub, key, "task", kind=LinkKind.DATA)
    board = sketch.part(language, "board", AgentRole.MEMORY, board_text)
    for key in keys:
        sketch.link(key, board, "finding", kind=LinkKind.DATA)
    if lead is not None:
        target = add_step(sketch, lead, AgentRole.ORCHESTRATOR)
    else:
        target = sketch.part(language, "lead", AgentRole.ORCHESTRATOR, "Reads the board and decides who acts next.")
    sketch.link(board, target, "state of the board", kind=LinkKind.EVENT)
    draw_way_back(sketch, target, keys[0], "open question", condition="something is missing", share=_MISSING)


def draw_negotiation(sketch: Sketch, language: str, step: Step) -> None:
    """A negotiator, the registry where it finds counterparts, and a counterpart that answers offers."""
    own = draw_step(sketch, step, AgentRole.SPECIALIST)
    registry = sketch.part(language, "registry", AgentRole.MEMORY, "Lists who can be dealt with.")
    told = "Answers offers in its own interest; it is not ours and not trusted."
    other = sketch.part(language, "counterpart", AgentRole.SPECIALIST, told)
    sketch.link(own, registry, "who is there", kind=LinkKind.CALL)
    sketch.link(own, other, "offer", kind=LinkKind.CALL)
    draw_way_back(sketch, other, own, "counter-offer", condition="no agreement yet", share=_NO_AGREEMENT)


def draw_sandbox(sketch: Sketch, language: str, coder: Step | None, runner: Step | None) -> None:
    """A coder, a sandbox that runs the code, and the way back while it fails."""
    if coder is not None:
        writer = draw_step(sketch, coder, AgentRole.SPECIALIST)
    else:
        told = "Writes and repairs the code."
        writer = sketch.follow(sketch.part(language, "coder", AgentRole.SPECIALIST, told), "task")
    if runner is not None:
        target = add_step(sketch, runner, AgentRole.INTEGRATION)
    else:
        told = "Runs the code and its tests in a sandbox."
        target = sketch.part(language, "sandbox", AgentRole.INTEGRATION, told)
    sketch.follow(target, "code", kind=LinkKind.DATA)
    draw_way_back(sketch, target, writer, "errors", condition="it fails")


def draw_compensator(sketch: Sketch, language: str, step: Step | None, writers: Sequence[str]) -> None:
    """What undoes earlier steps when a later one fails; work ends there."""
    if step is not None:
        key = add_step(sketch, step, AgentRole.INTEGRATION)
    else:
        key = sketch.part(language, "compensator", AgentRole.INTEGRATION, "Undoes the steps done so far, in reverse.")
    for writer in writers:
        sketch.link(writer, key, "undo", kind=LinkKind.EVENT, condition="a later step failed", probability=_ROLLBACK)
    sketch.ends.append(key)


def _members(
    sketch: Sketch, language: str, parts: Sequence[Part | Step], text: str, part: str = "specialist"
) -> list[str]:
    """The agents of the parts given; filled up to two, since nobody works together alone."""
    keys = []
    for given in parts:
        if isinstance(given, Step):
            keys.append(add_step(sketch, given))
        else:
            keys.append(sketch.add(given[0], AgentRole.SPECIALIST, given[1]))
    while len(keys) < _SPAN:
        keys.append(sketch.add(f"{label(language, part)} {len(keys) + 1}", AgentRole.SPECIALIST, text))
    return keys
