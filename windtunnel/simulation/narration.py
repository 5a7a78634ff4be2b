"""The story of a run: a line when a task is over, and closing words that say what happened and what to do."""

from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.simulation import words
from windtunnel.simulation.world import Occurrence, Task, World

TOLD_FAILURES = 5


def task_over(world: World, task: Task) -> None:
    """A line when a task is over."""
    took = words.spell((task.ended_ms or 0.0) - task.begun_ms)
    title = task.title.capitalize()
    if not task.delivered:
        text = f"{title} is lost after {took}."
    elif any(one.task is task and one.outcome is FailureOutcome.UNRECOVERED for one in world.occurrences):
        text = f"{title} ends after {took}, but its result cannot be trusted."
    elif task.lost or task.degraded:
        text = f"{title} is done after {took}, though not as well as it could be."
    else:
        text = f"{title} is done after {took}."
    world.emit(EventKind.NARRATIVE, text, {"text": text})


def headline(world: World) -> str:
    """The closing narrative in one sentence."""
    delivered = sum(1 for task in world.tasks if task.delivered)
    return f"The run is over: {delivered} of {words.count(len(world.tasks), 'task')} came through."


def closing(world: World) -> str:
    """What happened, which failures struck, what recovered, and what to do about it."""
    parts = [
        world.architecture.telemetry.opening.strip(),
        _overview(world),
        *_failures(world),
        _load(world),
        _advice(world),
    ]
    return " ".join(part for part in parts if part)


def _overview(world: World) -> str:
    delivered = sum(1 for task in world.tasks if task.delivered)
    seen = {node for task in world.tasks for node in task.visits}
    agents = words.count(len(world.graph.agents), "agent")
    crew = f"{len(seen)} of the {agents}" if len(seen) < len(world.graph.agents) else f"all {agents}"
    came = "all of them came through" if delivered == len(world.tasks) else f"{delivered} came through"
    tasks = words.count(len(world.tasks), "task").capitalize()
    return f"{tasks} went through {crew} in {words.spell(world.now_ms)} of simulated time; {came}."


def _failures(world: World) -> list[str]:
    if not world.occurrences:
        return ["No failure struck."]
    ends = [one.outcome for one in world.occurrences]
    told = [
        (FailureOutcome.RECOVERED, "recovered from"),
        (FailureOutcome.DEGRADED, "left a mark"),
        (FailureOutcome.UNRECOVERED, "did lasting harm"),
    ]
    tally = [f"{words.count(ends.count(outcome), '').strip()} {phrase}" for outcome, phrase in told if outcome in ends]
    sentences = [f"{words.count(len(ends), 'failure').capitalize()} struck: {', '.join(tally)}."]
    worst = sorted(world.occurrences, key=_rank)[:TOLD_FAILURES]
    sentences += [
        f"{words.readable(one.mode.code).capitalize()} at {_place(world, one)}: {one.ending}" for one in worst
    ]
    return sentences


def _place(world: World, one: Occurrence) -> str:
    agent = world.agent(one.node).name
    return agent if one.tool is None else f"{agent} ({world.graph.tools[one.tool].name})"


def _rank(one: Occurrence) -> tuple[int, int]:
    outcomes = list(FailureOutcome)
    severities = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
    return -outcomes.index(one.outcome or FailureOutcome.RECOVERED), severities.index(one.mode.severity)


def _load(world: World) -> str:
    waits = [station.waited_ms for station in world.stations]
    longest = max(range(len(waits)), key=waits.__getitem__)
    if waits[longest] >= 1:
        return f"Work waited longest at {world.agent(longest).name}, {words.spell(waits[longest])} in all."
    busy = [station.worked_ms for station in world.stations]
    return f"The most time was spent at {world.agent(max(range(len(busy)), key=busy.__getitem__)).name}."


def _advice(world: World) -> str:
    worst = [one for one in sorted(world.occurrences, key=_rank) if one.outcome is not FailureOutcome.RECOVERED]
    advice: list[str] = []
    for one in worst:
        text = one.mode.mitigation.strip().rstrip(".")
        if text and text not in advice:
            advice.append(text)
    if advice:
        return "Advice: " + "; ".join(advice[:3]) + "."
    if world.occurrences:
        return "Advice: the policies in place were enough this time; keep them, and try other failures."
    return "Advice: inject failures to see how the network holds up."
