"""What an experiment's numbers mean, in words: what breaks first, and whether a variant differs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from windtunnel.domain.experiments import (
    TOO_MUCH_WORK,
    Estimate,
    ExperimentDifference,
    ExperimentResult,
    FailureImpact,
    NodeLoad,
)
from windtunnel.domain.failures import CALIBRATED
from windtunnel.drawing.risks import ranked, risk_of
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import duration, share

SINGLE_POINT = 0.5
"""Who takes more than this share of all successes with them is a single point of failure."""
_WAITS = 0.85
"""From this utilisation on, queues are what people notice."""
_NAMES_MAX = 6

Named = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a reader should know: `matters` is bad, warn or plain."""

    head: str
    body: str
    matters: str = "plain"


@dataclass(frozen=True, slots=True)
class Gap:
    """A measured difference, variant minus base. `verdict` is better, worse or none; `sentence` says it."""

    name: str
    difference: Estimate
    shown: str
    interval: str
    brief: str
    verdict: str
    sentence: str


def spelled(value: Estimate, unit: str) -> tuple[str, str]:
    """A mean and its interval as people read them; `unit` is share, time, usd or plain."""
    return _one(value.mean, unit), f"{_one(value.low, unit)} to {_one(value.high, unit)}"


def headline(result: ExperimentResult) -> str:
    """Whether it holds, and the two numbers that everybody asks for first."""
    holds = "" if not is_overloaded(result) else "More work comes than can be done: it does not hold. "
    done = f"{holds}{_one(result.success_rate.mean, 'share')} of the tasks succeed"
    if not has_latency(result):
        return f"{done}."
    return f"{done}; 95 of 100 of these within {duration(result.latency_p95_ms.mean)}."


def is_overloaded(result: ExperimentResult) -> bool:
    """Whether more work comes to some place than can be done there."""
    return any(caution.head == TOO_MUCH_WORK for caution in result.cautions)


def has_latency(result: ExperimentResult) -> bool:
    """Whether any task succeeded: else there is no latency to speak of."""
    return result.success_rate.mean > 0


def fails(node: NodeLoad) -> float:
    """The share of a node's attempts that fail."""
    return node.failures / node.attempts if node.attempts else 0.0


def is_single_point(node: NodeLoad, result: ExperimentResult) -> bool:
    """Whether more than half of what succeeds is lost when the node is down."""
    return (node.blast_radius or 0.0) > SINGLE_POINT * result.success_rate.mean


def single_points(result: ExperimentResult) -> list[NodeLoad]:
    """Who takes more than half of the success with them, worst first."""
    found = [node for node in result.nodes if is_single_point(node, result)]
    return sorted(found, key=lambda node: (-(node.blast_radius or 0.0), node.key))


def remarks(result: ExperimentResult, name: Named, titles: Mapping[str, str]) -> list[Remark]:
    """What breaks first: load, then failures, then what nobody can do without; then what else makes one careful."""
    found = [
        Remark(caution.head, clean(caution.body), "bad") for caution in result.cautions if caution.head == TOO_MUCH_WORK
    ]
    busiest = next((node for node in result.nodes if node.key == result.bottleneck), None)
    if busiest is not None:
        busy = busiest.utilisation.mean
        more = " Small surges make long queues." if busy >= _WAITS and not is_overloaded(result) else ""
        found.append(
            Remark(
                f"Bottleneck: {clean(name(busiest.key))}",
                f"Its places are busy {share(busy)} of the time, more than any other's, and work waits "
                f"{duration(busiest.wait_ms.mean)} there on average.{more}",
                "warn" if busy >= _WAITS else "plain",
            )
        )
    worst = next((mode for mode in ranked(result.failure_modes) if risk_of(mode) > 0), None)
    if worst is not None:
        found.append(
            Remark(
                f"Costliest failure: {titles.get(worst.code, worst.code)}",
                f"It strikes {share(worst.probability)} of the tasks, and costs {share(worst.impact)} of these: "
                f"{share(risk_of(worst))} of all tasks are lost to it. Its chance {_founded(worst)}.",
                "warn" if risk_of(worst) >= 0.01 else "plain",
            )
        )
    found += _amplified(result)
    single = single_points(result)
    if single:
        found.append(
            Remark(
                "Single points of failure" if len(single) > 1 else "Single point of failure",
                f"More than half of the success is lost when one of these is down: "
                f"{_listed([node.key for node in single], name)}.",
                "warn",
            )
        )
    found += [
        Remark(caution.head, clean(caution.body), "warn")
        for caution in result.cautions
        if caution.head != TOO_MUCH_WORK
    ]
    return found


def _founded(mode: FailureImpact) -> str:
    return "was measured" if mode.provenance.startswith(CALIBRATED) else "is our estimate"


def _amplified(result: ExperimentResult) -> list[Remark]:
    attempts = sum(node.attempts for node in result.nodes)
    retries = sum(node.retries for node in result.nodes)
    throttled = sum(node.throttled for node in result.nodes)
    cut_short = sum(node.short_circuited for node in result.nodes)
    found = []
    if attempts and retries / attempts >= 0.05:
        found.append(
            Remark("Retries", f"{share(retries / attempts)} of all attempts are retries: work that is done again.")
        )
    if throttled:
        words = f"{throttled:,} attempts found the token quota used up (429)."
        found.append(Remark("Quota", words, "warn" if throttled >= attempts * 0.01 else "plain"))
    if cut_short:
        words = f"{cut_short:,} visits met an open circuit breaker and failed at once."
        found.append(Remark("Circuit breakers", words))
    return found


def fine_duration(milliseconds: float) -> str:
    """A measured time to three digits: `5.27 ms`, `2.04 s`; from a minute on as people say it."""
    if milliseconds == 0:
        return "0 ms"
    if milliseconds >= 59_950:
        return duration(milliseconds)
    value, unit = (milliseconds / 1_000, "s") if milliseconds >= 999.5 else (milliseconds, "ms")
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f} {unit}"


def gaps(difference: ExperimentDifference) -> list[Gap]:
    """Each difference with its verdict: only an interval without 0 shows one."""
    found = [
        _gap("Success", difference.success_rate, "points", "{} more succeed", "{} fewer succeed", is_good=1),
        _gap("Latency, 95th percentile", difference.latency_p95_ms, "time", "{} slower", "{} faster", is_good=-1),
    ]
    if difference.cost_usd_per_task is not None:
        found.append(_gap("Cost per task", difference.cost_usd_per_task, "usd", "{} dearer", "{} cheaper", is_good=-1))
    return found


def _gap(name: str, one: Estimate, unit: str, more: str, less: str, *, is_good: int) -> Gap:
    mean, interval = _signed(one.mean, unit), f"{_signed(one.low, unit)} to {_signed(one.high, unit)}"
    half = _one(one.half_width, unit)
    size, _, word = mean.partition(" ")
    brief = f"{size} ± {half}" if half.partition(" ")[2] == word else f"{mean} ± {half}"
    if one.low <= 0 <= one.high:
        return Gap(name, one, mean, interval, brief, "none", "No difference shown.")
    verdict = "better" if one.mean * is_good > 0 else "worse"
    words = (more if one.mean > 0 else less).format(_one(abs(one.mean), unit))
    return Gap(name, one, mean, interval, brief, verdict, f"{verdict.capitalize()}: {words}.")


def _one(value: float, unit: str) -> str:
    match unit:
        case "share":
            return f"{_figure(value * 100, 2)} %"
        case "points":
            return f"{_figure(value * 100, 2)} points"
        case "time":
            return fine_duration(value)
        case "usd":
            return f"${value:,.4g}"
        case _:
            return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _signed(value: float, unit: str) -> str:
    sign = "−" if value < 0 else "+" if value > 0 else "±"
    return sign + _one(abs(value), unit)


def _figure(value: float, places: int) -> str:
    shown = f"{value:.{places}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _listed(keys: Sequence[str], name: Named) -> str:
    words = [clean(name(key)) for key in keys[:_NAMES_MAX]]
    more = f" and {len(keys) - _NAMES_MAX} more" if len(keys) > _NAMES_MAX else ""
    return ", ".join(words) + more
