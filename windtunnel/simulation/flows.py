"""How a task walks through the network: fan-out, branches, joins, calls that come back, and bounded rounds."""

from collections.abc import Iterable
from dataclasses import dataclass

from windtunnel.domain.architectures import Link, LinkKind
from windtunnel.domain.events import StepStatus
from windtunnel.simulation import choices, edges
from windtunnel.simulation.work import Gathering, Occurrence, Step, Task
from windtunnel.simulation.world import Act, World

ROUNDS_PER_LINK = 2
ROUNDS_PER_TASK = 4
VISITS_MAX = 8
"""Work that comes to an agent more often within a task ends there."""
FAN_OUT_MAX = 64
"""Of more links than this, one to each agent is taken."""


@dataclass(slots=True, eq=False)
class Arrival:
    """Work under way to an agent, along a link or from outside (None)."""

    task: Task
    node: int
    link: Link | None
    flaws: list[Occurrence]


def enter(world: World, task: Task) -> None:
    """The task arrives from outside at its entry points."""
    task.begun_ms = world.now_ms
    for node in task.entries:
        task.moving.append(node)
        world.schedule(world.now_ms, Act.WORK_ARRIVES, Arrival(task, node, None, []))


def arrive(world: World, arrival: Arrival) -> None:
    """Work reaches an agent: it begins there, or waits for what belongs to it."""
    task, node = arrival.task, arrival.node
    task.moving.remove(node)
    waiting = next((one for one in task.gatherings if one.node == node), None)
    if waiting is not None:
        waiting.arrived = True
        _merge(waiting.flaws, arrival.flaws)
    elif world.graph.gathers[node] and arrival.link in world.graph.onward:
        task.gatherings.append(Gathering(node, 0, world.graph.reach[node], list(arrival.flaws)))
    else:
        straight = None if task.forced is None else ()
        _queue(world, Step(task, node, 0, list(arrival.flaws), onward=straight, forced=task.forced))
    settle(world, task)


def leave(world: World, step: Step) -> None:
    """A step is over: its work goes on, comes back, leaves the network, or is lost."""
    task = step.task
    task.steps.remove(step)
    task.degraded = task.degraded or step.degraded
    if step.status is StepStatus.FAILED:
        task.lost += 1
        _merge(task.flaws, step.flaws)
    else:
        links = list(step.onward) if step.onward is not None else _choose(world, step)
        for link in links:
            _send(world, task, link, step.flaws)
        if not links:
            task.delivered += 1
            _merge(task.flaws, step.flaws)
    settle(world, task)


def settle(world: World, task: Task) -> None:
    """Let gatherings begin that need not wait any longer; a task with nothing left to do is over."""
    while task.gatherings:
        ready = next((one for one in task.gatherings if not _must_wait(world, task, one)), None)
        if ready is None:
            if task.steps or task.moving:
                return
            # Gatherings that wait for each other only: the first to have come goes on.
            ready = task.gatherings[0]
        task.gatherings.remove(ready)
        _release(world, task, ready)
    if not task.steps and not task.moving and task.ended_ms is None:
        task.ended_ms = world.now_ms


def _queue(world: World, step: Step) -> None:
    task = step.task
    if task.visits.get(step.node, 0) >= VISITS_MAX:
        task.delivered += 1
        _merge(task.flaws, step.flaws)
        return
    step.visit = task.visits[step.node] = task.visits.get(step.node, 0) + 1
    task.steps.append(step)
    world.schedule(world.now_ms, Act.STEP_QUEUES, step)


def _choose(world: World, step: Step) -> list[Link]:
    task, node, graph = step.task, step.node, world.graph
    key = ("route", task.number, node, step.visit)
    may_loop = not world.is_crowded() and sum(task.loops.values()) < ROUNDS_PER_TASK
    if may_loop:
        rework = [link for link in graph.rework[node] if task.loops.get(link.key, 0) < ROUNDS_PER_LINK]
        again = step.rework if step.rework in rework else choices.asks_for_rework(rework, world.dice, *key)
        if again is not None:
            task.loops[again.key] = task.loops.get(again.key, 0) + 1
            return [again]
    links = choices.onward(graph, node, _wanted(world, task), world.dice, *key)
    if world.is_crowded():
        return links[:1]
    if len(links) > FAN_OUT_MAX:
        links = list({link.target: link for link in links}.values())
    back = [
        link for link in graph.returns[node] if task.visits.get(graph.at(link.target)) and not task.loops.get(link.key)
    ]
    for link in back:
        task.loops[link.key] = 1
    return [*_calls_first(world, step, links), *back]


def _calls_first(world: World, step: Step, links: list[Link]) -> list[Link]:
    """Split off what must wait for the answers of called agents."""
    graph, node = world.graph, step.node
    calls = [link for link in links if link.kind is LinkKind.CALL or graph.beyond(link) & graph.returners[node]]
    others = [link for link in links if link not in calls]
    if not calls or not (others or graph.returners[node]):
        return links
    future = _beyond(world, others)
    mask = _beyond(world, calls) & ~future
    step.task.gatherings.append(Gathering(node, mask, future, [], tuple(others), called=True, arrived=False))
    return calls


def _release(world: World, task: Task, ready: Gathering) -> None:
    if not ready.called:
        _queue(world, Step(task, ready.node, 0, ready.flaws))
    elif ready.arrived:
        _queue(world, Step(task, ready.node, 0, ready.flaws, onward=ready.onward))
    else:
        for link in ready.onward or ():
            _send(world, task, link, ready.flaws)


def _must_wait(world: World, task: Task, waiting: Gathering) -> bool:
    graph, node = world.graph, waiting.node
    if node in task.moving:
        return True
    if waiting.called:
        places = [step.node for step in task.steps] + task.moving
        places += [one.node for one in task.gatherings if one is not waiting]
        return any(waiting.mask >> place & 1 for place in places)
    futures = [graph.reach[step.node] if step.onward is None else _beyond(world, step.onward) for step in task.steps]
    futures += [graph.reach[place] for place in task.moving]
    futures += [one.future for one in task.gatherings if one is not waiting]
    return any(future >> node & 1 for future in futures)


def _send(world: World, task: Task, link: Link, flaws: Iterable[Occurrence]) -> None:
    node = world.graph.at(link.target)
    delay = edges.transmit(world, task, link, carried := list(flaws))
    if delay is None:
        task.lost += 1
        _merge(task.flaws, carried)
        return
    task.moving.append(node)
    world.schedule(world.now_ms + delay, Act.WORK_ARRIVES, Arrival(task, node, link, carried))


def _wanted(world: World, task: Task) -> int:
    """The agents at which a certain fault waits for this task: branches that lead there are preferred."""
    wanted = 0
    for fault in world.faults:
        if fault.certain and task.number == max(fault.from_task, 1):
            wanted |= sum(1 << node for node in fault.targets)
    return wanted


def _beyond(world: World, links: Iterable[Link]) -> int:
    mask = 0
    for link in links:
        mask |= world.graph.beyond(link)
    return mask


def _merge(known: list[Occurrence], more: Iterable[Occurrence]) -> None:
    known.extend(one for one in more if one not in known)
