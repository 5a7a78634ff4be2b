"""What to know before believing an experiment: too much work, replications too short, too few tasks."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import Any

from windtunnel.domain.experiments import TOO_MUCH_WORK, Caution, Estimate, Load, NodeLoad
from windtunnel.domain.policy import EXPERIMENT_TASKS_MAX

_FORGOTTEN = 10.0
"""After so many relaxation times nothing is left of the empty start that the numbers would show."""
_NEAR = 0.8
"""Less than this share of the tasks that are needed are too few: a bound that is right to about a fifth."""
_FULL = 0.98
"""From this utilisation on a place that gets slower and slower has more work than it can do."""
_SURE = 1.5
"""A drift must be so many times as large as half of its interval: one false alarm in twenty would be too many."""
_DRIFT = 0.05
"""A smaller share of the mean latency is nothing to speak of."""


def cautions_of(
    load: Load,
    nodes: Sequence[NodeLoad],
    analytic: Mapping[str, Any] | None,
    *,
    throughput_per_s: Estimate,
    latency: Estimate,
    drift: Estimate,
    unbounded: Sequence[str],
) -> tuple[Caution, ...]:
    """Everything to be careful about, the worst first.

    `drift` is how much longer tasks of the second half of a replication take than those of the first, `unbounded` are
    the percentiles whose intervals have no upper end.
    """
    found = []
    drifts = load.replications > 1 and abs(drift.mean) > max(_SURE * drift.half_width, _DRIFT * latency.mean)
    full = [node.key for node in nodes if node.utilisation.mean >= _FULL] if drifts and drift.mean > 0.0 else []
    unstable = list((analytic or {}).get("unstable") or full)
    if unstable:
        found.append(
            Caution(
                TOO_MUCH_WORK,
                f"More work comes to {_listed(unstable)} than can be done there. The queue grows for as long as work "
                "comes, so latencies and waits say how long the replications were, not how the network is in the long "
                f"run. While 100 tasks come about {throughput_per_s.mean / load.arrival_rate * 100.0:.0f} are done. "
                "Ask for fewer tasks a second, or give more places.",
            )
        )
    else:
        found += _short(load, nodes, analytic)
    if drifts and not found:
        words = "longer" if drift.mean > 0.0 else "shorter"
        found.append(
            Caution(
                "Not settled",
                f"Tasks of the second half of a replication take {abs(drift.mean) / latency.mean:.0%} of the mean "
                f"latency {words} than those of the first half: the numbers depend on how many tasks there are. Ask "
                "for more tasks to see the long run.",
            )
        )
    if load.replications == 1:
        found.append(Caution("One replication", "Nothing is known of chance: ask for more to see intervals."))
    elif unbounded:
        found.append(
            Caution(
                "Few tasks",
                f"There are too few for the interval of the {' and '.join(unbounded)} percentile: its upper end may be "
                "higher than what is shown. Ask for more replications or more tasks.",
            )
        )
    return tuple(found)


def tasks_needed(utilisation: float, visits_per_task: float) -> int:
    """How many tasks it takes until a place has forgotten that it was empty.

    Ten times its relaxation time, which is that of M/M/1 (J. Abate, W. Whitt, "Transient behavior of the M/M/1 queue:
    starting at the origin", Queueing Systems 2 (1987)): 1 / (1 - sqrt(load))^2 service times.
    """
    visits = _FORGOTTEN * utilisation / (1.0 - sqrt(utilisation)) ** 2
    return ceil(visits / visits_per_task)


def _short(load: Load, nodes: Sequence[NodeLoad], analytic: Mapping[str, Any] | None) -> list[Caution]:
    exact = {form["key"]: float(form["load"]) for form in (analytic or {}).get("nodes", ())}
    worst, needed = "", 0
    for node in nodes:
        visits = node.attempts / (load.replications * load.tasks)
        busy = min(exact.get(node.key, node.utilisation.mean), 0.999)
        if visits and node.wait_ms.mean and tasks_needed(busy, visits) > needed:
            worst, needed = node.key, tasks_needed(busy, visits)
    if load.tasks >= _NEAR * needed:
        return []
    digits = 10 ** (len(str(needed)) - 2)
    rounded_up = -(-needed // digits) * digits
    remedy = (
        f"Ask for {rounded_up:,} tasks a replication to see it."
        if rounded_up <= EXPERIMENT_TASKS_MAX
        else "It is so close to too much work that no experiment can see it: give it more places."
    )
    return [
        Caution(
            "Short replications",
            f"Each begins with an empty network, and {worst} is so busy that {load.tasks:,} tasks are too few to "
            f"forget it: latencies and waits, high percentiles most, are below those of the long run. {remedy}",
        )
    ]


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 6} more" if len(keys) > 6 else ""
    return ", ".join(keys[:6]) + more
