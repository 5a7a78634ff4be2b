"""Places at an agent: who is served, who waits, and how a wave of other work takes the places away."""

from windtunnel.simulation.work import Step
from windtunnel.simulation.world import Act, World


def enter(world: World, step: Step) -> bool:
    """Take a place or join the queue; True when the step may begin now."""
    station = world.stations[step.node]
    step.queued_ms = world.now_ms
    if station.busy < station.servers and not station.queue:
        station.busy += 1
        return True
    station.queue.append(step)
    return False


def release(world: World, node: int) -> None:
    """Give a place back; whoever waits longest is served next."""
    station = world.stations[node]
    station.busy -= 1
    world.schedule(world.now_ms, Act.SERVER_FREED, node)


def next_waiting(world: World, node: int) -> Step | None:
    """The step that may begin on a free place, if any; foreign work takes the places it finds on the way."""
    station = world.stations[node]
    while station.queue and station.busy < station.servers:
        station.busy += 1
        waiting = station.queue.popleft()
        if isinstance(waiting, Step):
            waited = world.now_ms - waiting.queued_ms
            waiting.waited_ms += waited
            station.waited_ms += waited
            return waiting
        world.schedule(world.now_ms + waiting, Act.FOREIGN_DONE, node)
    return None


def flood(world: World, step: Step, count: int) -> None:
    """A wave of other work arrives: the step gives its place back and queues behind it."""
    station = world.stations[step.node]
    service = world.agent(step.node).service
    for number in range(count):
        key = ("wave", step.task.number, step.node, step.visit, len(world.occurrences), number)
        station.queue.append(world.dice.duration(service, *key))
    step.queued_ms = world.now_ms
    station.queue.append(step)
    release(world, step.node)
