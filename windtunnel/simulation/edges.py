"""How a message passes along a link, and what faults do to it on the way."""

from dataclasses import dataclass

from windtunnel.domain.architectures import Link
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureOutcome, Inject
from windtunnel.simulation import payloads, words
from windtunnel.simulation.occurrences import begin, close, strike
from windtunnel.simulation.work import Occurrence, Site, Task
from windtunnel.simulation.world import Act, World

TRANSIT_MS = (2.0, 25.0)
LOST_AFTER_MS = 2_000.0
"""Without a time limit of its own, a sender misses an answer after this long."""

_LOST = {Inject.ERROR, Inject.DROP, Inject.SKIP}
_LATE = {Inject.LATENCY, Inject.OUTAGE_WINDOW, Inject.BLOCK, Inject.OVERLOAD}


@dataclass(frozen=True, slots=True)
class Resent:
    """A message that finally got through, and how that ends the failure which held it up."""

    task: Task
    link: Link
    struck: Occurrence
    outcome: FailureOutcome
    sentence: str
    flows: bool


def transmit(world: World, task: Task, link: Link, flaws: list[Occurrence]) -> float | None:
    """Send work along a link: simulated milliseconds until it arrives, or None when it is lost for good.

    Damage that nobody notices is added to `flaws`.
    """
    nodes = frozenset({world.graph.at(link.source), world.graph.at(link.target)})
    transit = world.dice.between(*TRANSIT_MS, "transit", task.number, link.key, task.visits.get(min(nodes), 0))
    fault = strike(world, Site.LINK, task, nodes)
    if fault is None:
        _tell(world, task, link)
        return transit
    source, target = world.graph.at(link.source), world.graph.at(link.target)
    struck = begin(world, fault, task, source, target=target)
    inject = struck.mode.effect.inject
    if inject in _LOST:
        return _lose(world, task, link, struck, transit)
    if inject in _LATE:
        return _delay(world, task, link, struck, transit)
    if inject is Inject.LOOP:
        return _repeat(world, task, link, struck, transit)
    if inject is Inject.DUPLICATE:
        return _double(world, task, link, struck, transit=transit, flaws=flaws)
    return _damage(world, task, link, struck, transit=transit, flaws=flaws)


def resend(world: World, resent: Resent) -> None:
    """The message gets through at last."""
    if resent.flows:
        _tell(world, resent.task, resent.link, again=True)
    close(world, resent.struck, resent.outcome, resent.sentence)


def _tell(world: World, task: Task, link: Link, *, damage: Inject | None = None, again: bool = False) -> None:
    source, target = world.graph.at(link.source), world.graph.at(link.target)
    payload = payloads.message(link, task.name, world.dice, "flow", task.number, link.key, task.visits.get(source, 0))
    if damage is not None:
        payload = payloads.damaged(payload, damage)
    phrase = words.passing(link.kind).format(
        source=world.agent(source).name, target=world.agent(target).name, task=task.title
    )
    body = {
        "link_key": link.key,
        "source_key": link.source,
        "target_key": link.target,
        "payload": payload,
        "bytes": payloads.size_of(payload),
    }
    label = f": {link.label}" if link.label else ""
    world.emit(EventKind.DATA_FLOW, f"{phrase}{', again' if again else ''}{label}.", body, source)


def _later(world: World, resent: Resent, wait: float) -> None:
    world.schedule(world.now_ms + wait, Act.MESSAGE_RESENT, resent)


def _lose(world: World, task: Task, link: Link, struck: Occurrence, transit: float) -> float | None:
    sender, receiver = world.agent(struck.node), world.agent(world.graph.at(link.target))
    policy = sender.policy
    if policy.max_attempts == 1 and not policy.circuit_breaker and not struck.mode.effect.retryable:
        return None
    wait = max(float(policy.timeout_ms or LOST_AFTER_MS), float(policy.backoff_ms))
    sentence = f"{sender.name} misses an answer from {receiver.name} and sends {task.title} again."
    _later(world, Resent(task, link, struck, FailureOutcome.RECOVERED, sentence, flows=True), wait)
    return wait + transit


def _delay(world: World, task: Task, link: Link, struck: Occurrence, transit: float) -> float:
    receiver = world.agent(world.graph.at(link.target))
    wait = world.dice.between(2, 8, "held", struck.name) * max(receiver.service.mean_ms, 250.0)
    bounded = receiver.policy.timeout_ms is not None or receiver.policy.circuit_breaker
    outcome = FailureOutcome.RECOVERED if bounded else FailureOutcome.DEGRADED
    sentence = f"{words.sentence(task.title)} reaches {receiver.name} after all, {words.spell(wait)} late."
    _later(world, Resent(task, link, struck, outcome, sentence, flows=True), wait)
    return wait + transit


def _repeat(world: World, task: Task, link: Link, struck: Occurrence, transit: float) -> float:
    receiver = world.agent(world.graph.at(link.target))
    times = world.dice.whole(3, 5, "repeats", struck.name)
    _tell(world, task, link)
    for _ in range(times - 1):
        _tell(world, task, link, again=True)
    sentence = f"{receiver.name} has heard it {words.count(times, 'time')} and stops listening; the repeats cost time."
    wait = transit * times
    _later(world, Resent(task, link, struck, FailureOutcome.DEGRADED, sentence, flows=False), wait)
    return wait + transit


def _double(
    world: World, task: Task, link: Link, struck: Occurrence, *, transit: float, flaws: list[Occurrence]
) -> float:
    receiver = world.agent(world.graph.at(link.target))
    _tell(world, task, link)
    _tell(world, task, link, again=True)
    acts = any(world.graph.tools[key].side_effects for key in receiver.tools if key in world.graph.tools)
    if acts and struck.mode.effect.silent:
        flaws.append(struck)
    else:
        sentence = f"{receiver.name} recognises the second copy of {task.title} and drops it."
        _later(world, Resent(task, link, struck, FailureOutcome.RECOVERED, sentence, flows=False), transit)
    return transit * 1.5


def _damage(
    world: World, task: Task, link: Link, struck: Occurrence, *, transit: float, flaws: list[Occurrence]
) -> float:
    sender, receiver = world.agent(struck.node), world.agent(world.graph.at(link.target))
    _tell(world, task, link, damage=struck.mode.effect.inject)
    if struck.mode.effect.silent:
        flaws.append(struck)
        return transit
    sentence = f"{receiver.name} refuses what it received, and {sender.name} sends {task.title} again."
    wait = transit * 3
    _later(world, Resent(task, link, struck, FailureOutcome.RECOVERED, sentence, flows=True), wait)
    return wait + transit
