"""Who notices what went wrong silently, when, and what comes of it."""

from windtunnel.domain.architectures import AgentRole
from windtunnel.domain.events import StepStatus
from windtunnel.domain.failures import FailureOutcome, Inject
from windtunnel.simulation import words
from windtunnel.simulation.occurrences import close
from windtunnel.simulation.work import Occurrence, Step, Task
from windtunnel.simulation.world import World

EYES: dict[AgentRole, float] = {
    AgentRole.CRITIC: 0.8,
    AgentRole.GUARDRAIL: 0.8,
    AgentRole.HUMAN: 0.7,
    AgentRole.ORCHESTRATOR: 0.3,
    AgentRole.PLANNER: 0.15,
    AgentRole.ROUTER: 0.1,
    AgentRole.SPECIALIST: 0.1,
    AgentRole.WORKER: 0.05,
    AgentRole.MEMORY: 0.0,
    AgentRole.INTEGRATION: 0.0,
}
"""How likely an agent of each role notices a flaw in what it receives (our prior)."""

_DONE_AND_GONE = {Inject.EXFILTRATE, Inject.DUPLICATE}


def look(world: World, step: Step) -> None:
    """An agent that finished its step may notice flaws that others left in the work."""
    if step.status is not StepStatus.OK:
        return
    agent = world.agent(step.node)
    for flaw in list(step.flaws):
        if flaw.outcome is not None:
            step.flaws.remove(flaw)
        elif flaw.node != step.node and world.dice.uniform("eyes", flaw.name, step.node, step.visit) < EYES[agent.role]:
            step.flaws.remove(flaw)
            _noticed(world, step, flaw)


def _noticed(world: World, step: Step, flaw: Occurrence) -> None:
    agent, culprit = world.agent(step.node), world.agent(flaw.node)
    flaw.noticed = True
    back = next(iter(world.graph.rework[step.node]), None)
    if flaw.mode.effect.inject in _DONE_AND_GONE:
        sentence = f"{agent.name} notices what {culprit.name} let happen and stops it there; it cannot be undone."
        close(world, flaw, FailureOutcome.DEGRADED, sentence, step.node)
    elif back is not None:
        step.rework = back
        target = world.agent(world.graph.at(back.target)).name
        sentence = f"{agent.name} notices the flaw that {culprit.name} left and has {target} do it again."
        close(world, flaw, FailureOutcome.RECOVERED, sentence, step.node)
    else:
        sentence = f"{agent.name} notices the flaw that {culprit.name} left and works around it."
        close(world, flaw, FailureOutcome.DEGRADED, sentence, step.node)
    step.degraded = step.degraded or flaw.outcome is FailureOutcome.DEGRADED


def unnoticed(world: World, task: Task) -> None:
    """When a task is over, flaws that nobody noticed and messages that nobody missed are final."""
    for flaw in world.occurrences:
        if flaw.task is task and flaw.outcome is None:
            culprit = world.agent(flaw.node).name
            if task.delivered:
                how = f"{words.sentence(task.title)} is delivered with what {culprit} got wrong: nobody noticed."
            else:
                how = f"{words.sentence(task.title)} ends before anyone notices what happened at {culprit}."
            close(world, flaw, FailureOutcome.UNRECOVERED, how)
