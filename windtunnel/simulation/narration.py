"""The story of a run: a line at turning points, and closing words that say what happened and what to do."""

from enum import StrEnum

from windtunnel.domain.architectures import ResiliencePolicy
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.simulation import words
from windtunnel.simulation.work import Occurrence, Task
from windtunnel.simulation.world import World

TOLD_FAILURES = 5


class _Grade(StrEnum):
    FULL = "came through unharmed"
    IMPAIRED = "came through impaired"
    DOUBTFUL = "ended with a result that cannot be trusted"
    LOST = "never came through"


def first_failure(world: World) -> None:
    """A line when the first failure of a run struck: how well is the agent prepared?"""
    if len(world.occurrences) != 1:
        return
    occurrence = world.occurrences[0]
    agent = world.agent(occurrence.node)
    text = f"The first failure of the run: {agent.name} {_defences(agent.policy)}."
    world.emit(EventKind.NARRATIVE, text, {"text": text})


def task_over(world: World, task: Task) -> None:
    """A line when a task is over."""
    took = words.spell((task.ended_ms or 0.0) - task.begun_ms)
    text = f"{words.sentence(task.title)} is over after {took}: it {_grade(world, task)}."
    world.emit(EventKind.NARRATIVE, text, {"text": text})


def headline(world: World) -> str:
    """The closing narrative in one sentence."""
    return f"The run is over: {_tally(world)}."


def closing(world: World) -> str:
    """What happened, which failures struck, what recovered, and what to do about it."""
    opening = world.architecture.telemetry.opening.strip()
    parts = [opening, _overview(world), *_failures(world), _load(world), _advice(world)]
    return " ".join(part for part in parts if part)


def _defences(policy: ResiliencePolicy) -> str:
    tries = min(policy.max_attempts, 10)
    parts = [f"may try {words.count(tries, 'time')}" if tries > 1 else "has a single try"]
    if policy.timeout_ms is not None:
        parts.append(f"waits no longer than {words.spell(policy.timeout_ms)}")
    if policy.circuit_breaker:
        parts.append("has a circuit breaker")
    stands_in = "something stands in for it" if policy.fallback else "nothing stands in for it"
    return f"{words.listing(parts)}, and {stands_in}"


def _grade(world: World, task: Task) -> _Grade:
    if not task.delivered:
        return _Grade.LOST
    ends = {one.outcome for one in world.occurrences if one.task is task}
    if FailureOutcome.UNRECOVERED in ends:
        # What was lost loudly is missing from the result; what nobody noticed is in it.
        return _Grade.IMPAIRED if task.lost else _Grade.DOUBTFUL
    return _Grade.IMPAIRED if task.lost or task.degraded or FailureOutcome.DEGRADED in ends else _Grade.FULL


def _tally(world: World) -> str:
    grades = [_grade(world, task) for task in world.tasks]
    found = [(grade, grades.count(grade)) for grade in _Grade if grade in grades]
    if len(found) == 1:
        who = f"all {words.count(len(grades), 'task')}" if len(grades) > 1 else "its one task"
        return f"{who} {found[0][0]}"
    first, *rest = found
    parts = [f"{words.count(first[1], 'task')} {first[0]}", *(f"{words.count(many, '')} {g}" for g, many in rest)]
    return words.listing(parts)


def _overview(world: World) -> str:
    seen = {node for task in world.tasks for node in task.visits}
    agents = words.count(len(world.graph.agents), "agent")
    crew = f"{words.count(len(seen), '')} of {agents}" if len(seen) < len(world.graph.agents) else agents
    tasks = words.sentence(words.count(len(world.tasks), "task"))
    return f"{tasks} went through {crew} in {words.spell(world.now_ms)} of simulated time; {_tally(world)}."


def _failures(world: World) -> list[str]:
    if not world.occurrences:
        return ["No failure struck."]
    ends = [one.outcome for one in world.occurrences]
    told = [
        (FailureOutcome.RECOVERED, "was recovered from", "were recovered from"),
        (FailureOutcome.DEGRADED, "left its mark", "left their mark"),
        (FailureOutcome.UNRECOVERED, "did lasting harm", "did lasting harm"),
    ]
    found = [(ends.count(end), one, many) for end, one, many in told if end in ends]
    struck = words.sentence(words.count(len(ends), "failure")) + " struck"
    if len(found) == 1:
        subject = {1: "it", 2: "both of them"}.get(len(ends), "all of them")
        summary = f"{struck}, and {subject} {found[0][1] if len(ends) == 1 else found[0][2]}."
    else:
        parts = [f"{words.count(number, '')} {one if number == 1 else many}" for number, one, many in found]
        summary = f"{struck}: {words.listing(parts)}."
    worst = sorted(world.occurrences, key=_rank)[:TOLD_FAILURES]
    return [summary, *(f"{words.sentence(words.readable(one.mode.code))}: {one.ending}" for one in worst)]


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
    return f"Most time was spent at {world.agent(max(range(len(busy)), key=busy.__getitem__)).name}."


def _advice(world: World) -> str:
    worst = [one for one in sorted(world.occurrences, key=_rank) if one.outcome is not FailureOutcome.RECOVERED]
    advice: list[str] = []
    for one in worst:
        text = one.mode.mitigation.strip().rstrip(".")
        if text and text not in advice:
            advice.append(text)
    if advice:
        return f"Advice: {'; '.join(advice[:3])}."
    if world.occurrences:
        return "Advice: the policies in place were enough this time; keep them, and try other failures."
    return "Advice: inject failures to see how the network holds up."
