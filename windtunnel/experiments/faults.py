"""Failure modes of an architecture as chances at its places, and what each is when it happens for certain."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from windtunnel.domain.architectures import Architecture, ServiceTime
from windtunnel.domain.failures import CALIBRATED, FailureMode, FaultUnit, Inject
from windtunnel.experiments.model import TASK_LIST, Mode, Model, Place
from windtunnel.simulation.network import Node

SLOW_FACTOR = 5.0
"""Work that is slowed down takes five times as long. Our prior."""
_SLOWER = frozenset({Inject.LATENCY, Inject.OVERLOAD})
_MORE_WORK = frozenset({Inject.LOOP, Inject.DUPLICATE})


def with_faults(model: Model, architecture: Architecture) -> Model:
    """The model with each failure mode at the probability that the architecture states for it.

    That probability is of one task: it is spread over the places that the mode may strike, so that all of them
    together strike as often. One that was calibrated has its measured share of attempts at each of them. Each of the
    modes is kept with what happens when it strikes for certain, at the first of its places.
    """
    lists = frozenset(tool.key for tool in architecture.tools if tool.kind == TASK_LIST)
    for mode in architecture.failure_modes:
        struck = {place.node.key for place in _struck(model, mode, lists)}
        each = _at_each(mode, len(struck))
        places = [
            replace(place, node=_damaged(place, mode, each)) if place.node.key in struck else place
            for place in model.places
        ]
        model = replace(model, places=tuple(places))
    return replace(model, modes=tuple(_mode(model, mode, lists) for mode in architecture.failure_modes))


def _at_each(mode: FailureMode, places: int) -> float:
    if mode.provenance.startswith(CALIBRATED):
        return mode.effect.probability
    return 1.0 - (1.0 - mode.probability) ** (1.0 / places) if places else 0.0


def _struck(model: Model, mode: FailureMode, lists: Collection[str]) -> Sequence[Place]:
    """The places that a mode may strike: calls of its tool, of any tool, or the agents' own work.

    What is late with people lies on their task `lists` for longer; it is no more work.
    """
    mine = [place for place in model.places if place.agent in mode.targets]
    tools = [place for place in mine if place.owner != place.agent]
    if mode.target_tool is not None:
        return [place for place in tools if place.owner == mode.target_tool] or _own_work(mine)
    if mode.effect.per is FaultUnit.TOOL_CALL and tools:
        return tools
    if mode.effect.per is FaultUnit.HUMAN_TASK and mode.effect.inject in _SLOWER:
        return [place for place in tools if place.owner in lists] or _own_work(mine)
    return _own_work(mine)


def _own_work(places: Sequence[Place]) -> Sequence[Place]:
    return [place for place in places if place.owner == place.agent]


def _mode(model: Model, mode: FailureMode, lists: Collection[str]) -> Mode:
    struck = _struck(model, mode, lists)[:1]
    return Mode(mode.code, mode.probability, mode.provenance, tuple(_certain(place, mode) for place in struck))


def _damaged(place: Place, mode: FailureMode, chance: float) -> Node:
    """The node of a place at which the mode strikes an attempt with this chance."""
    node, inject = place.node, mode.effect.inject
    if inject in _SLOWER:
        return replace(node, service=_slower(node.service, 1.0 + chance * (SLOW_FACTOR - 1.0)))
    if inject in _MORE_WORK:
        return replace(node, service=_slower(node.service, 1.0 + chance))
    if mode.effect.silent:
        return _misled(place, chance)
    return replace(node, failure_probability=_either(node.failure_probability, chance))


def _certain(place: Place, mode: FailureMode) -> Node:
    """The node while the mode happens: what can be tried again loses one attempt, all else is as bad as it gets."""
    node, inject = place.node, mode.effect.inject
    if inject in _SLOWER:
        return replace(node, service=_slower(node.service, SLOW_FACTOR))
    if inject in _MORE_WORK:
        return replace(node, service=_slower(node.service, 2.0))
    if mode.effect.silent:
        return _misled(place, 1.0)
    if mode.effect.retryable and inject is not Inject.OUTAGE_WINDOW and node.max_attempts > 1:
        return replace(node, max_attempts=node.max_attempts - 1)
    return replace(node, failure_probability=1.0)


def _misled(place: Place, chance: float) -> Node:
    """The node when its results are wrong with this chance and nobody sees it; who only checks then sees nothing."""
    node = place.node
    if place.checks:
        return replace(node, catch_probability=node.catch_probability * (1.0 - chance))
    return replace(node, flaw_probability=_either(node.flaw_probability, chance))


def _slower(service: ServiceTime, factor: float) -> ServiceTime:
    return replace(service, mean_ms=service.mean_ms * factor)


def _either(one: float, other: float) -> float:
    return 1.0 - (1.0 - one) * (1.0 - other)
