"""What each kind of fault does to the operation that it hits."""

from collections.abc import Callable
from dataclasses import dataclass

from windtunnel.domain.architectures import Tool, ToolCategory
from windtunnel.domain.failures import Inject
from windtunnel.simulation.work import Occurrence, Operation, Step
from windtunnel.simulation.world import World

NO_ANSWER_FACTOR = 4.0
"""An answer that was lost is given up after so many mean durations when no time limit is set."""


@dataclass(slots=True)
class Impact:
    """How the attempt goes that a fault hits: `factor` times as long, or until the time limit (when there is one);
    `flood` pieces of other work push in front of it."""

    factor: float = 1.0
    to_the_limit: bool = False
    flood: int = 0


def hit(world: World, step: Step, struck: Occurrence) -> Impact:
    """Let a fault that struck act on the current operation of a step."""
    operation = step.operation
    operation.struck = struck
    operation.retryable = struck.mode.effect.retryable
    return _EFFECTS[struck.mode.effect.inject](world, step, operation, struck)


def _error(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    operation.error = struck.mode.code
    draw = world.dice.uniform("spoils", struck.name)
    # Most transient errors are gone at the next attempt; one in ten outlives every retry (our prior).
    operation.spoils = 0 if draw < 0.65 else 1 if draw < 0.9 else 99
    return Impact(0.4)


def _latency(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    factor = world.dice.between(6, 14, "slow", struck.name)
    return Impact(factor, to_the_limit=not struck.mode.effect.silent)


def _outage(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    policy = world.agent(step.node).policy
    service = operation.tool.service if operation.tool else world.agent(step.node).service
    length = world.dice.between(1.5, 8, "outage", struck.name) * (service.mean_ms + policy.backoff_ms)
    place = (None, operation.tool.key) if operation.tool else (step.node, None)
    world.outages[place] = (world.now_ms + length, struck)
    operation.error = struck.mode.code
    operation.retryable = True
    return Impact(0.2)


def _damage(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    operation.damage = struck.mode.effect.inject
    if not struck.mode.effect.silent:
        operation.error = struck.mode.code
    return Impact(0.8 if operation.damage is Inject.TRUNCATE else 1.0)


def _loop(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    policy = world.agent(step.node).policy
    bounded = policy.circuit_breaker or policy.timeout_ms is not None
    rounds = 2 if bounded else world.dice.whole(4, 6, "rounds", struck.name)
    step.operations[step.place + 1 : step.place + 1] = [
        copy for number in range(rounds) for copy in _copies(step, struck, number + 1)
    ]
    return Impact()


def _copies(step: Step, struck: Occurrence, again: int) -> list[Operation]:
    """The current operation once more; an agent that repeats its own work calls its first tool again as well."""
    tools = [step.operation.tool]
    if tools == [None]:
        tools += [other.tool for other in step.operations if other.tool is not None and not other.again][:1]
    return [Operation(tool=tool, again=again, struck=struck) for tool in tools]


def _skip(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    if struck.mode.effect.silent:
        operation.skipped = True
    else:
        operation.error = struck.mode.code
        operation.retryable = True
    return Impact(0.05)


def _drop(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    operation.error = "no_answer"
    operation.retryable = True
    return Impact(NO_ANSWER_FACTOR, to_the_limit=True)


def _duplicate(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    copies = _copies(step, struck, 1)
    if struck.mode.effect.silent and any(copy.tool is not None and copy.tool.side_effects for copy in copies):
        operation.damage = Inject.DUPLICATE
    step.operations += copies
    return Impact()


def _block(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    if world.agent(step.node).policy.timeout_ms is not None:
        operation.error = "timeout"
        operation.retryable = True
    return Impact(20.0, to_the_limit=True)


def _overload(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    policy = world.agent(step.node).policy
    waves = 1 if policy.circuit_breaker else 3
    return Impact(1.5, flood=waves * max(1, policy.concurrency) + 1)


def _hijack(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    return _foreign(world, step, struck, [tool for tool in world.architecture.tools if tool.side_effects])


def _exfiltrate(world: World, step: Step, operation: Operation, struck: Occurrence) -> Impact:
    outbound = {ToolCategory.MESSAGING, ToolCategory.HTTP_API}
    return _foreign(world, step, struck, [tool for tool in world.architecture.tools if tool.category in outbound])


def _foreign(world: World, step: Step, struck: Occurrence, tools: list[Tool]) -> Impact:
    """Make the agent use a tool for someone else's purpose; a loud one is refused."""
    own = set(world.agent(step.node).tools)
    choice = [tool for tool in tools if tool.key in own] or tools or list(world.architecture.tools)
    if choice:
        tool = world.dice.pick(choice, "foreign", struck.name)
        step.operations.insert(step.place + 1, Operation(tool=tool, foreign=struck.mode.effect.inject, struck=struck))
    return Impact()


_EFFECTS: dict[Inject, Callable[[World, Step, Operation, Occurrence], Impact]] = {
    Inject.ERROR: _error,
    Inject.LATENCY: _latency,
    Inject.OUTAGE_WINDOW: _outage,
    Inject.TRUNCATE: _damage,
    Inject.CORRUPT: _damage,
    Inject.WRONG_OUTPUT: _damage,
    Inject.LOOP: _loop,
    Inject.SKIP: _skip,
    Inject.DROP: _drop,
    Inject.DUPLICATE: _duplicate,
    Inject.BLOCK: _block,
    Inject.OVERLOAD: _overload,
    Inject.HIJACK: _hijack,
    Inject.EXFILTRATE: _exfiltrate,
}
