"""One agent at work: its operations, attempt by attempt, with time limits, faults and retries."""

from windtunnel.domain.events import EventKind, LogLevel, StepStatus
from windtunnel.domain.failures import FailureOutcome
from windtunnel.simulation import effects, remedies, stations, telling, words
from windtunnel.simulation.failing import failed
from windtunnel.simulation.occurrences import begin, close, strike
from windtunnel.simulation.work import Fault, Occurrence, Operation, Site, Step
from windtunnel.simulation.world import Act, World

TOOLS_PER_STEP = 3


def start_step(world: World, step: Step) -> None:
    """The step got a server: it begins, or goes on after a back-off."""
    if step.started_ms is None:
        step.started_ms = world.now_ms
        agent = world.agent(step.node)
        phrases = words.start_phrases(agent.role, gathers=step.onward is not None and step.forced is None)
        phrase = world.dice.pick(phrases, "start", step.task.number, step.node, step.visit)
        sentence = phrase.format(agent=agent.name, task=step.task.title)
        if step.waited_ms >= 1:
            sentence = f"{sentence[:-1]}, after {words.spell(step.waited_ms)} in the queue."
        body = {"task": step.task.name, "status": StepStatus.STARTED.value, "duration_ms": None}
        world.emit(EventKind.AGENT_START, sentence, body, step.node)
        step.operations = _operations(world, step)
    _start_operation(world, step)


def _operations(world: World, step: Step) -> list[Operation]:
    agent = world.agent(step.node)
    tools = [world.graph.tools[key] for key in agent.tools if key in world.graph.tools]
    if step.forced is not None:
        # The owed fault strikes the first operation, where nothing can come before it.
        aimed = [tool for tool in tools if tool.key == step.forced.tool] or tools
        calls = [Operation(tool=tool) for tool in aimed[:1] if step.forced.site is Site.TOOL]
        return [*calls, Operation()]
    if step.onward is not None:
        return [Operation()]
    chosen = world.dice.sample(tools, TOOLS_PER_STEP, "tools", step.task.number, step.node, step.visit)
    return [Operation(), *(Operation(tool=tool) for tool in chosen)]


def _start_operation(world: World, step: Step) -> None:
    operation, agent = step.operation, world.agent(step.node)
    operation.attempt += 1
    operation.began_ms = world.now_ms
    if operation.attempt == 1:
        operation.first_ms = world.now_ms
    if operation.attempt == 1 or operation.spoils <= 0:
        operation.error, operation.damage = None, None
    else:
        operation.spoils -= 1
    impact = _fault(world, step)
    if impact.flood:
        # A wave of other work takes the place in front: the attempt has to queue behind it.
        operation.attempt -= 1
        stations.flood(world, step, impact.flood)
        return
    if _breaker_answers(world, step):
        return
    _outage(world, step)
    service = agent.service if operation.tool is None else operation.tool.service
    limit = agent.policy.timeout_ms
    place = "work" if operation.tool is None else operation.tool.key
    key = ("service", step.task.number, step.node, step.visit, place, operation.again, operation.attempt)
    duration = world.dice.duration(service, *key, limit_ms=limit) * impact.factor
    if limit is not None and (duration > limit or impact.to_the_limit):
        duration = float(limit)
        operation.error = operation.error or "timeout"
    world.schedule(world.now_ms + duration, Act.OPERATION_ENDS, step)


def _fault(world: World, step: Step) -> effects.Impact:
    operation = step.operation
    if operation.struck is not None or operation.again:
        return effects.Impact()
    nodes = frozenset({step.node})
    if step.forced is not None:
        fault: Fault | None = step.forced
        step.forced = None
    elif operation.tool is None:
        fault = strike(world, Site.WORK, step.task, nodes)
    else:
        fault = strike(world, Site.TOOL, step.task, nodes, operation.tool.key)
    if fault is None:
        return effects.Impact()
    tool = None if operation.tool is None else operation.tool.key
    return effects.hit(world, step, begin(world, fault, step.task, step.node, tool=tool))


def _outage(world: World, step: Step) -> None:
    operation = step.operation
    place = (None, operation.tool.key) if operation.tool else (step.node, None)
    until, struck = world.outages.get(place, (0.0, None))
    if struck is not None and world.now_ms < until and operation.error is None:
        operation.error = struck.mode.code
        operation.struck = operation.struck or struck


def _breaker_answers(world: World, step: Step) -> bool:
    """An open circuit spares the call: the fallback answers at once, or the call waits until the circuit closes."""
    operation, policy = step.operation, world.agent(step.node).policy
    place = (step.node, None if operation.tool is None else operation.tool.key)
    until, _ = world.breakers.get(place, (0.0, None))
    if world.now_ms >= until or operation.held or operation.struck is not None:
        return False
    if policy.fallback:
        telling.tell_tool(
            world,
            step,
            StepStatus.SKIPPED,
            f"the circuit is open, so the fallback answers ({policy.fallback.rstrip('.')})",
        )
        step.degraded = True
        world.schedule(world.now_ms, Act.OPERATION_ENDS, step)
        operation.skipped = True
        return True
    operation.attempt -= 1
    operation.held = True
    stations.release(world, step.node)
    world.schedule(until, Act.STEP_QUEUES, step)
    return True


def end_operation(world: World, step: Step) -> None:
    """The current attempt is over: go on, try again, or give up."""
    operation = step.operation
    world.stations[step.node].worked_ms += world.now_ms - operation.began_ms
    if operation.error is not None:
        if failed(world, step):
            _next(world, step)
        return
    took = words.spell(world.now_ms - operation.began_ms)
    if operation.foreign is not None and operation.struck is not None and not operation.struck.mode.effect.silent:
        telling.tell_tool(world, step, StepStatus.FAILED, "refused")
    elif not operation.skipped:
        telling.tell_tool(world, step, StepStatus.OK, f"done in {took}")
    elif operation.struck is not None:
        telling.tell_tool(world, step, StepStatus.SKIPPED, "left out")
    telling.spend(world, step)
    telling.record(world, step, None)
    if operation.again and operation.tool is None:
        telling.log(world, step, LogLevel.WARN, f"{world.agent(step.node).name} does the same once more.")
    if operation.struck is not None:
        _conclude(world, step, operation.struck)
    if operation.skipped and operation.tool is None and operation.struck is not None:
        _leave_out_the_rest(world, step)
    _next(world, step)


def _conclude(world: World, step: Step, struck: Occurrence) -> None:
    """The operation that a failure hit came through: what is wrong goes on with the work, what is over ends here."""
    if remedies.lasting_flaw(step.operation):
        if struck not in step.flaws:
            step.flaws.append(struck)
    elif struck.outcome is None and remedies.is_settled(step) and struck not in step.flaws:
        outcome, sentence = remedies.remedy(world, step)
        step.degraded = step.degraded or outcome is FailureOutcome.DEGRADED
        close(world, struck, outcome, sentence, step.node)


def _leave_out_the_rest(world: World, step: Step) -> None:
    step.status = StepStatus.SKIPPED
    while step.place + 1 < len(step.operations):
        step.place += 1
        step.operation.began_ms = world.now_ms
        telling.tell_tool(world, step, StepStatus.SKIPPED, "left out")


def _next(world: World, step: Step) -> None:
    if step.place + 1 < len(step.operations):
        step.place += 1
        _start_operation(world, step)
    else:
        world.schedule(world.now_ms, Act.STEP_LEAVES, step)
