"""Where the branches of each fork come together: joins are put into a flow so that every token meets its siblings."""

from collections.abc import Iterable, Sequence

from windtunnel.experiments.flow import Flow, Step, crossing

_OUT = ""
"""The key of what lies beyond the network."""


def put_joins(flow: Flow, entries: Sequence[str]) -> None:
    """Put a join before the place that all branches of a fork lead to; outer forks first.

    Branches that share an agent before that place are no branches of their own: everything between such a fork and
    its end is done one after another, each step as often as it would be. Ways back that lead out of a fork's branch
    repeat their own step instead.
    """
    order = _topological(flow)
    ends = _ends(flow, order)
    regions: dict[str, set[str]] = {}
    for key in [key for key in order if flow[key].forks]:
        step = flow.get(key)
        if step is None or not step.forks:
            continue
        end = ends[key]
        region = _between(flow, [target for target, _ in step.ways], end)
        if _is_mixed(flow, step, region, end, entries):
            _line_up(flow, step, region, end, order)
            continue
        regions[key] = region
        if end != _OUT:
            join = crossing(flow, f"{key} together")
            join.quorum, join.ways = len(step.ways), [(end, 1.0)]
            for inner in (*region, key):
                _redirect(flow[inner], end, join.key)
            ends[join.key] = end
            region.add(join.key)
            ends.update({inner: join.key for inner in region if ends.get(inner) == end and inner != join.key})
    _keep_rework_inside(flow, regions)


def _topological(flow: Flow) -> list[str]:
    incoming = dict.fromkeys(flow, 0)
    for step in flow.values():
        for target, _ in step.ways:
            incoming[target] += 1
    order = [key for key, count in incoming.items() if not count]
    for key in order:
        for target, _ in flow[key].ways:
            incoming[target] -= 1
            if not incoming[target]:
                order.append(target)
    return order


def _ends(flow: Flow, order: Sequence[str]) -> dict[str, str]:
    """For each step the nearest one that all its work comes to (the immediate post-dominator), or what lies beyond."""
    place = {key: number for number, key in enumerate(order)} | {_OUT: len(order)}
    ends: dict[str, str] = {_OUT: _OUT}
    for key in reversed(order):
        step = flow[key]
        following = [target for target, _ in step.ways] or [_OUT]
        if step.leaves > 0.0 and step.ways:
            following.append(_OUT)
        end = following[0]
        for other in following[1:]:
            one = other
            while end != one:
                if place[end] < place[one]:
                    end = ends[end]
                else:
                    one = ends[one]
        ends[key] = end
    return ends


def _between(flow: Flow, starts: Iterable[str], end: str) -> set[str]:
    """The steps that work passes from the starts on, before the end."""
    found: set[str] = set()
    waiting = [key for key in starts if key != end]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += [target for target, _ in flow[key].ways if target != end]
    return found


def _is_mixed(flow: Flow, fork: Step, region: set[str], end: str, entries: Sequence[str]) -> bool:
    """Whether something comes into the branches from outside, or two branches meet before the end."""
    if region & set(entries):
        return True
    for step in flow.values():
        if step.key not in region and step is not fork and any(target in region for target, _ in step.ways):
            return True
    seen: set[str] = set()
    for target, _ in fork.ways:
        branch = _between(flow, [target], end)
        if branch & seen:
            return True
        seen |= branch
    return False


def _line_up(flow: Flow, fork: Step, region: set[str], end: str, order: list[str]) -> None:
    """Do the steps of a region one after another, each with the chance that it is done at all."""
    inside = [key for key in order if key in region]
    chance = dict.fromkeys(inside, 0.0)
    for target, _ in fork.ways:
        if target in chance:
            chance[target] = 1.0
    for key in inside:
        for target, share in flow[key].ways:
            if target in chance:
                chance[target] = min(1.0, chance[target] + chance[key] * (1.0 if flow[key].forks else share))
    gates = [crossing(flow, f"{fork.key} then {key}") for key in inside]
    following = [gate.key for gate in gates[1:]] + [end]
    for key, gate, after in zip(inside, gates, following, strict=True):
        onward = [] if after == _OUT else [(after, 1.0)]
        gate.ways = [(key, 1.0)] if chance[key] > 1.0 - 1e-9 else [(key, chance[key])]
        if chance[key] <= 1.0 - 1e-9 and after != _OUT:
            gate.ways.append((after, 1.0 - chance[key]))
        flow[key].forks, flow[key].ways = False, list(onward)
    fork.forks, fork.ways = False, [(gates[0].key, 1.0)]


def _redirect(step: Step, old: str, new: str) -> None:
    step.ways = [(new if target == old else target, share) for target, share in step.ways]


def _keep_rework_inside(flow: Flow, regions: dict[str, set[str]]) -> None:
    """A token of a branch that went back before its fork would fork again: it repeats its own step instead."""
    for step in flow.values():
        around = {key for key, region in regions.items() if step.key in region}
        step.again = [
            (
                target
                if {key for key, region in regions.items() if target in region} == around and target in flow
                else step.key,
                share,
            )
            for target, share in step.again
        ]
