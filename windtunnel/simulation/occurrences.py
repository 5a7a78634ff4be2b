"""How failures begin and end: arming faults, letting them strike, and closing what they opened."""

from collections.abc import Mapping

from windtunnel.domain.events import EventKind, LogLevel, Signal
from windtunnel.domain.failures import FailureMode, FailureOutcome, FaultUnit
from windtunnel.simulation import narration, words
from windtunnel.simulation.work import Fault, Occurrence, Origin, Site, Task
from windtunnel.simulation.world import World

CASCADE_SHARE = 0.5
"""How often a failure drags along one that the book names as its follow-up (our prior)."""

_BADNESS = (None, FailureOutcome.RECOVERED, FailureOutcome.DEGRADED, FailureOutcome.UNRECOVERED)


def arm(
    world: World,
    mode: FailureMode,
    *,
    certain: bool,
    origin: Origin,
    from_task: int = 0,
    target: str | None = None,
    cause: Occurrence | None = None,
) -> Fault:
    """Let a failure mode wait for its opportunity: at `target` (agent or tool key), else where the mode says.

    Where neither can be hit, the engine chooses an agent.
    """
    targets, tool = _aim(world, mode, target)
    if tool is None and mode.effect.per is FaultUnit.TOOL_CALL:
        targets = frozenset(node for node in targets if world.agent(node).tools) or targets
    site = Site.WORK
    if tool is not None or (mode.effect.per is FaultUnit.TOOL_CALL and any(world.agent(n).tools for n in targets)):
        site = Site.TOOL
    elif mode.effect.per is FaultUnit.EDGE and _has_links(world, targets):
        site = Site.LINK
    fault = Fault(mode, targets, tool, site, from_task, certain, origin, cause)
    world.faults.append(fault)
    return fault


def strike(world: World, site: Site, task: Task, nodes: frozenset[int], tool: str | None = None) -> Fault | None:
    """The fault that takes this opportunity, no longer waiting; None for none."""
    for fault in world.faults:
        if (
            fault.site is site
            and task.number >= fault.from_task
            and nodes & fault.targets
            and (fault.tool is None or fault.tool == tool)
        ):
            world.faults.remove(fault)
            return fault
    return None


def begin(
    world: World, fault: Fault, task: Task, node: int, *, tool: str | None = None, target: int | None = None
) -> Occurrence:
    """Let a fault strike: it shows as a failure event, as a log record unless it is silent, and may drag others."""
    mode = fault.mode
    earlier = sum(1 for occurrence in world.occurrences if occurrence.mode.key == mode.key)
    occurrence = Occurrence(
        fault, f"{mode.key}#{earlier + 1}", task, node, tool, world.now_ms, noticed=not mode.effect.silent
    )
    world.occurrences.append(occurrence)
    agent = world.agent(node)
    message = words.failing(
        mode,
        task.title,
        agent,
        tool=None if tool is None else world.graph.tools[tool],
        target=None if target is None else world.agent(target),
    )
    detail = {
        "occurrence": occurrence.name,
        "task": task.name,
        "inject": mode.effect.inject.value,
        "per": mode.effect.per.value,
        "silent": mode.effect.silent,
        "tool": tool,
        "target": None if target is None else world.agent(target).key,
        "origin": fault.origin.value,
        "caused_by": None if fault.cause is None else fault.cause.name,
    }
    world.emit(EventKind.FAILURE_EVENT, message, _body(mode, None, detail), node)
    if not mode.effect.silent:
        world.observe(
            Signal.LOG,
            f"{agent.name} reports: {words.readable(mode.code)}.",
            "windtunnel.failure",
            agent=node,
            level=LogLevel.WARN,
            attributes={"error.type": mode.code, "task": task.name, "detection": mode.detection},
        )
    narration.first_failure(world)
    _drag_along(world, occurrence)
    return occurrence


def close(world: World, occurrence: Occurrence, outcome: FailureOutcome, how: str, node: int | None = None) -> None:
    """Say how a failure ended; a worse end found later is said as well, a better one is not."""
    if _BADNESS.index(outcome) <= _BADNESS.index(occurrence.outcome):
        return
    occurrence.outcome, occurrence.ending = outcome, how
    detail = {
        "occurrence": occurrence.name,
        "task": occurrence.task.name,
        "after_ms": round(world.now_ms - occurrence.at_ms, 3),
        "noticed": occurrence.noticed,
        "tool": occurrence.tool,
    }
    kind = EventKind.FAILURE_EVENT if outcome is FailureOutcome.UNRECOVERED else EventKind.RECOVERY
    world.emit(kind, how, _body(occurrence.mode, outcome, detail), occurrence.node if node is None else node)


def _body(mode: FailureMode, outcome: FailureOutcome | None, detail: Mapping[str, object]) -> dict[str, object]:
    return {
        "failure_key": mode.key,
        "code": mode.code,
        "severity": mode.severity.value,
        "outcome": None if outcome is None else outcome.value,
        "detail": detail,
    }


def _drag_along(world: World, occurrence: Occurrence) -> None:
    if not world.cascading:
        return
    known = {fault.mode.key for fault in world.faults} | {one.mode.key for one in world.occurrences}
    for code in occurrence.mode.effect.cascades_to:
        for mode in world.architecture.failure_modes:
            drawn = world.dice.uniform("cascade", occurrence.name, mode.key)
            if mode.code == code and mode.key not in known and drawn < CASCADE_SHARE:
                arm(world, mode, certain=False, origin=Origin.CASCADE, cause=occurrence)
                known.add(mode.key)


def _aim(world: World, mode: FailureMode, target: str | None) -> tuple[frozenset[int], str | None]:
    graph = world.graph
    tool = mode.target_tool if mode.target_tool in graph.tools else None
    targets = frozenset(graph.index[key] for key in mode.targets if key in graph.index)
    if target in graph.index:
        targets = frozenset({graph.index[target]})
        tool = tool if tool in world.agent(graph.index[target]).tools else None
    elif target in graph.tools:
        tool = target
    if tool is not None:
        users = frozenset(node for node, agent in enumerate(graph.agents) if tool in agent.tools)
        targets = targets & users or users
        tool = tool if users else None
    if targets:
        return targets, tool
    fitting = [node for node in range(len(graph.agents)) if _fits(world, node, mode.effect.per)]
    return frozenset({world.dice.pick(fitting or range(len(graph.agents)), "aim", mode.key)}), tool


def _fits(world: World, node: int, per: FaultUnit) -> bool:
    agent = world.agent(node)
    if per is FaultUnit.TOOL_CALL:
        return bool(agent.tools)
    if per is FaultUnit.HUMAN_TASK:
        return world.graph.is_person(node)
    return per is not FaultUnit.MODEL_CALL or agent.tokens.output > 0


def _has_links(world: World, targets: frozenset[int]) -> bool:
    graph = world.graph
    return any(
        node in targets or graph.at(link.target) in targets
        for node, links in enumerate(graph.forward)
        for link in links
    )
