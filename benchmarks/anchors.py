"""Networks of which theory knows the truth: textbook formulas written out, apart from those of the product."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import comb, factorial, log
from typing import Any

from windtunnel.domain.experiments import Estimate, ExperimentResult
from windtunnel.experiments.model import Model
from windtunnel.experiments.network_file import read_network


@dataclass(frozen=True)
class Truth:
    """Something that an experiment measures, and what it is in the long run. Times in milliseconds."""

    measure: str
    exact: float
    of: Callable[[ExperimentResult], Estimate]


@dataclass(frozen=True)
class Anchor:
    """A network under a load, and what is known of it. `in_system` is the mean number of tasks there."""

    name: str
    model: Model
    per_s: float
    truths: tuple[Truth, ...]
    in_system: float | None = None

    @property
    def busy(self) -> bool:
        """Whether most of its places work most of the time."""
        return self.name.endswith("load 0.8")


def erlang_c(servers: int, offered: float) -> float:
    """The chance to wait in M/M/c."""
    idle = sum(offered**k / factorial(k) for k in range(servers))
    full = offered**servers / factorial(servers) * servers / (servers - offered)
    return full / (idle + full)


def anchors() -> list[Anchor]:
    """All of them, by name."""
    return [
        *(_mm1(load) for load in (0.5, 0.7, 0.8)),
        _mmc(5, 0.8),
        _mg1("M/G/1, lognormal", 0.7, "lognormal", 0.8),
        _mg1("M/D/1", 0.7, "deterministic", 0.0),
        _tandem(),
        _feedback(),
        _retries(3, 0.3, 4),
        _quorum(5, 3, 0.1),
        _quorum(5, 5, 0.0),
    ]


def slower_and_faster() -> tuple[Anchor, Anchor]:
    """M/M/1 at load 0.8 and, with faster work under the same arrivals, at 0.75: ten tasks a second."""
    return _anchor("slower", _network([_node("a", 80.0)]), 10.0, []), _anchor(
        "faster", _network([_node("a", 75.0)]), 10.0, []
    )


def _mm1(load: float) -> Anchor:
    # Work of 100 ms each; the time in the system is exponential (Kleinrock 1975).
    stay = 100.0 / (1.0 - load)
    truths = [
        *_at_node("a", load, stay - 100.0),
        *_times(stay),
        Truth("latency, median, ms", log(2.0) * stay, lambda found: found.latency_p50_ms),
        Truth("latency, 95th percentile, ms", log(20.0) * stay, lambda found: found.latency_p95_ms),
    ]
    return _anchor(
        f"M/M/1, load {load}", _network([_node("a", 100.0)]), load * 10.0, truths, in_system=load / (1 - load)
    )


def _mmc(servers: int, load: float) -> Anchor:
    wait = erlang_c(servers, load * servers) * 100.0 / (servers * (1.0 - load))
    per_s = load * servers * 10.0
    truths = [*_at_node("a", load, wait), *_times(wait + 100.0)]
    model = _network([_node("a", 100.0, servers=servers)])
    return _anchor(f"M/M/{servers}, load {load}", model, per_s, truths, in_system=per_s * (wait + 100.0) / 1e3)


def _mg1(name: str, load: float, kind: str, variation: float) -> Anchor:
    # Pollaczek-Khinchine.
    wait = load * (1.0 + variation**2) * 100.0 / (2.0 * (1.0 - load))
    model = _network([_node("a", 100.0, service={"dist": kind, "mean_ms": 100.0, "cv": variation})])
    truths = [*_at_node("a", load, wait), *_times(wait + 100.0)]
    return _anchor(f"{name}, load {load}", model, load * 10.0, truths, in_system=load * (wait + 100.0) / 100.0)


def _tandem() -> Anchor:
    means = {"a": 50.0, "b": 60.0, "c": 75.0}
    model = _network([_node(key, mean) for key, mean in means.items()], [("a", "b", 1.0), ("b", "c", 1.0)])
    return _jackson("Jackson, three in line", model, dict.fromkeys(means, 1.0), means)


def _feedback() -> Anchor:
    # Three in ten go back from the second to the first: 1 / 0.7 visits to each.
    means = {"a": 40.0, "b": 45.0}
    model = _network([_node(key, mean) for key, mean in means.items()], [("a", "b", 1.0), ("b", "a", 0.3)])
    return _jackson("Jackson, with feedback", model, dict.fromkeys(means, 1.0 / 0.7), means)


def _jackson(name: str, model: Model, visits: dict[str, float], means: dict[str, float]) -> Anchor:
    # Each node is an M/M/1 of its own; ten tasks a second.
    loads = {key: 0.01 * visits[key] * means[key] for key in means}
    tasks = sum(load / (1.0 - load) for load in loads.values())
    truths = [
        truth for key in means for truth in _at_node(key, loads[key], means[key] * loads[key] / (1.0 - loads[key]))
    ]
    return _anchor(name, model, 10.0, [*truths, *_times(tasks * 100.0)], in_system=tasks)


def _retries(servers: int, failure: float, attempts: int) -> Anchor:
    # A geometric series of attempts, each of which queues anew.
    series = (1.0 - failure**attempts) / (1.0 - failure)
    success = 1.0 - failure**attempts
    offered = 14.0 * series / 10.0
    wait = erlang_c(servers, offered) * 100.0 / (servers - offered)
    model = _network([_node("a", 100.0, servers=servers, failure_probability=failure, max_attempts=attempts)])
    truths = [
        Truth("success", success, lambda found: found.success_rate),
        Truth("attempts per task", series, lambda found: found.tokens_per_task),
        *_at_node("a", offered / servers, wait * series),
    ]
    return _anchor(f"Retries, {failure:.0%} fail, {attempts} attempts", model, 14.0, truths, success=success)


def _quorum(branches: int, needed: int, failure: float) -> Anchor:
    # Places for all: the time is that of the order statistic of exponential times among those that come through.
    chances = {
        many: comb(branches, many) * (1.0 - failure) ** many * failure ** (branches - many)
        for many in range(needed, branches + 1)
    }
    success = sum(chances.values())
    latency = sum(chance * sum(100.0 / (many - place) for place in range(needed)) for many, chance in chances.items())
    keys = [f"branch {number}" for number in range(branches)]
    nothing = {"dist": "deterministic", "mean_ms": 0.0}
    model = _network(
        [
            _node("ask", service=nothing, mode="fork"),
            *(_node(key, 100.0, servers=10_000, failure_probability=failure) for key in keys),
            _node("join", service=nothing, join=needed),
        ],
        [*(("ask", key, 1.0) for key in keys), *((key, "join", 1.0) for key in keys)],
    )
    truths = [
        *([Truth("success", success, lambda found: found.success_rate)] if failure else []),
        *_times(latency / success),
    ]
    return _anchor(f"Join, {needed} of {branches}, {failure:.0%} fail", model, 10.0, truths, success=success)


def _at_node(key: str, load: float, wait_ms: float) -> list[Truth]:
    def node(found: ExperimentResult) -> Any:
        return next(one for one in found.nodes if one.key == key)

    return [
        Truth(f"utilisation of {key}", load, lambda found: node(found).utilisation),
        Truth(f"wait per visit at {key}, ms", wait_ms, lambda found: node(found).wait_ms),
    ]


def _times(mean_ms: float) -> list[Truth]:
    return [Truth("latency, mean, ms", mean_ms, lambda found: found.latency_mean_ms)]


def _anchor(
    name: str, model: Model, per_s: float, truths: list[Truth], *, success: float = 1.0, in_system: float | None = None
) -> Anchor:
    done = Truth("throughput, tasks/s", per_s * success, lambda found: found.throughput_per_s)
    return Anchor(name, model, per_s, (*truths, done), in_system)


def _network(nodes: list[dict[str, Any]], links: list[tuple[str, str, float]] | None = None) -> Model:
    return read_network(
        json.dumps(
            {
                "nodes": nodes,
                "links": [{"source": one, "target": other, "probability": share} for one, other, share in links or ()],
                "entry": [nodes[0]["key"]],
            }
        )
    )


def _node(key: str, mean_ms: float = 0.0, **more: Any) -> dict[str, Any]:
    # A token an attempt: tokens per task are then attempts per task.
    return {"key": key, "service": {"dist": "exponential", "mean_ms": mean_ms}, "input_tokens": 1, **more}
