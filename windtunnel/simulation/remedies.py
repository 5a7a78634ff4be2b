"""How failures end whose operation came through after all, or for which a fallback stood in."""

from windtunnel.domain.failures import FailureOutcome, Inject
from windtunnel.simulation import words
from windtunnel.simulation.occurrences import close
from windtunnel.simulation.work import Operation, Step
from windtunnel.simulation.world import World

_BOUNDED: dict[Inject, str] = {
    Inject.LATENCY: "{subject} was slow ({took}) but stayed within its time limit.",
    Inject.LOOP: "{agent} notices that it repeats itself and breaks out of the loop.",
    Inject.OVERLOAD: "{agent} sheds the extra load, and {task} goes on after {took}.",
}
_UNBOUNDED: dict[Inject, str] = {
    Inject.LATENCY: "{subject} is done, but late: it took {took}, and no time limit bounds it.",
    Inject.LOOP: "The turn limit stops {agent}; the repetitions cost time and tokens.",
    Inject.BLOCK: "A watchdog frees {agent} after {took}; a time limit would do so sooner.",
    Inject.OVERLOAD: "The wave has passed: {task} goes on, but only after {took}.",
}
_HARMLESS: dict[Inject, str] = {
    Inject.DUPLICATE: "Doing it twice changes nothing here: {agent} keeps one result.",
    Inject.HIJACK: "{agent} sees through it and refuses.",
    Inject.EXFILTRATE: "{agent} sees through it and refuses.",
}


def remedy(world: World, step: Step) -> tuple[FailureOutcome, str]:
    """How a failure ends whose operation came through: the outcome and a sentence."""
    operation, agent = step.operation, world.agent(step.node)
    outcome, sentence = _ending(operation, bounded=_is_bounded(world, step))
    subject = f"{agent.name}'s call to {operation.tool.name}" if operation.tool else f"{agent.name}'s work"
    began = operation.first_ms if operation.struck is None else operation.struck.at_ms
    took = words.spell(world.now_ms - began)
    named = sentence.format(
        subject=subject, agent=agent.name, took=took, task=step.task.title, attempt=operation.attempt
    )
    return outcome, named


def _is_bounded(world: World, step: Step) -> bool:
    policy = world.agent(step.node).policy
    struck = step.operation.struck
    if struck is not None and struck.mode.effect.inject is Inject.LATENCY:
        return policy.timeout_ms is not None
    return policy.circuit_breaker or policy.timeout_ms is not None


def _ending(operation: Operation, *, bounded: bool) -> tuple[FailureOutcome, str]:
    inject = None if operation.struck is None else operation.struck.mode.effect.inject
    if operation.held:
        return FailureOutcome.RECOVERED, "The circuit closes again: {subject} goes through after {took}."
    if operation.attempt > 1:
        return FailureOutcome.RECOVERED, "{subject} succeeds at attempt {attempt}, {took} after the failure."
    if inject in _HARMLESS:
        return FailureOutcome.RECOVERED, _HARMLESS[inject]
    if bounded and inject in _BOUNDED:
        return FailureOutcome.RECOVERED, _BOUNDED[inject]
    if inject in _UNBOUNDED:
        return FailureOutcome.DEGRADED, _UNBOUNDED[inject]
    return FailureOutcome.RECOVERED, "{subject} comes through after {took}."


def lasting_flaw(operation: Operation) -> bool:
    """True when what just succeeded left something wrong behind that others may notice later."""
    struck = operation.struck
    if struck is None:
        return False
    if operation.foreign is not None:
        return struck.mode.effect.silent
    return operation.damage is not None or operation.skipped


def is_settled(step: Step) -> bool:
    """True when no later operation of the step belongs to the same failure."""
    struck = step.operation.struck
    return all(later.struck is not struck for later in step.operations[step.place + 1 :])


def fallback(world: World, step: Step, name: str) -> None:
    """Say that the fallback took over: another agent, or what the policy says in words."""
    operation, agent = step.operation, world.agent(step.node)
    if operation.struck is None:
        return
    subject = operation.tool.name if operation.tool else agent.name
    if name in world.graph.index:
        sentence = f"{world.agent(world.graph.index[name]).name} steps in for {subject}, and {step.task.title} goes on."
    else:
        sentence = f"{agent.name} falls back for {subject} ({name.rstrip('.')}), and {step.task.title} goes on."
    close(world, operation.struck, FailureOutcome.DEGRADED, sentence, step.node)
