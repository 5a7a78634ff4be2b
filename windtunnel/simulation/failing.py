"""What the policy does when an attempt fails: try again, let a fallback answer, wait behind a circuit, or give up."""

from windtunnel.domain.events import LogLevel, StepStatus
from windtunnel.domain.failures import FailureOutcome
from windtunnel.simulation import remedies, semconv, stations, telling, words
from windtunnel.simulation.occurrences import close
from windtunnel.simulation.work import Step
from windtunnel.simulation.world import Act, World

ATTEMPTS_MAX = 10
"""No told operation is tried more often, whatever the policy says."""
BACKOFF_MAX_MS = 86_400_000.0


def failed(world: World, step: Step) -> bool:
    """The current attempt failed: True when a fallback answered, so that the step goes on."""
    operation, policy = step.operation, world.agent(step.node).policy
    error, name = operation.error or "error", world.agent(step.node).name
    took = words.spell(world.now_ms - operation.began_ms)
    attempts = min(max(1, policy.max_attempts), ATTEMPTS_MAX)
    if operation.retryable and operation.attempt < attempts:
        wait = min(policy.backoff_ms * 2.0 ** (operation.attempt - 1), BACKOFF_MAX_MS)
        following = f"attempt {operation.attempt + 1} of {attempts} follows in {words.spell(wait)}"
        telling.tell_tool(world, step, StepStatus.RETRIED, f"{words.readable(error)} after {took}, {following}")
        if operation.tool is None:
            telling.log(world, step, LogLevel.WARN, f"{name}: {words.readable(error)} after {took}; {following}.")
        step.retries.append({"name": semconv.RETRY, "time_ms": round(world.now_ms, 3), semconv.ERROR_TYPE: error})
        stations.release(world, step.node)
        world.schedule(world.now_ms + wait, Act.STEP_QUEUES, step)
        return False
    telling.tell_tool(world, step, StepStatus.FAILED, f"{words.readable(error)} after {took}")
    telling.record(world, step, error)
    if policy.fallback:
        remedies.fallback(world, step, policy.fallback)
        step.degraded = True
        if policy.circuit_breaker:
            _open_circuit(world, step)
        return True
    if policy.circuit_breaker and not operation.held:
        _hold(world, step)
    else:
        _give_up(world, step, error)
    return False


def _open_circuit(world: World, step: Step) -> float:
    operation, policy = step.operation, world.agent(step.node).policy
    key = None if operation.tool is None else operation.tool.key
    outage, _ = world.outages.get((None, key) if operation.tool else (step.node, None), (0.0, None))
    until = max(outage, world.now_ms + max(1_000.0, 4.0 * policy.backoff_ms))
    world.breakers[step.node, key] = (until, operation.struck)
    subject = operation.tool.name if operation.tool else world.agent(step.node).name
    pause = words.spell(until - world.now_ms)
    telling.log(
        world, step, LogLevel.WARN, f"The circuit to {subject} opens for {pause}: no call gets through meanwhile."
    )
    return until


def _hold(world: World, step: Step) -> None:
    until = _open_circuit(world, step)
    operation = step.operation
    operation.held, operation.attempt, operation.spoils = True, 0, 0
    stations.release(world, step.node)
    world.schedule(until, Act.STEP_QUEUES, step)


def _give_up(world: World, step: Step, error: str) -> None:
    operation, name = step.operation, world.agent(step.node).name
    step.status, step.error = StepStatus.FAILED, error
    tries = words.count(operation.attempt, "attempt")
    if operation.struck is not None:
        subject = f" on {operation.tool.name}" if operation.tool else ""
        sentence = (
            f"{name} gives up{subject} after {tries}; nothing stands in, and its part of {step.task.title} is lost."
        )
        close(world, operation.struck, FailureOutcome.UNRECOVERED, sentence, step.node)
    world.schedule(world.now_ms, Act.STEP_LEAVES, step)
