"""Calibration: an architecture with the service times and failures that recorded spans show, and what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from windtunnel.domain.architectures import Architecture, Distribution, ServiceTime
from windtunnel.domain.calibrations import Calibration, FittedFailures, FittedLatency
from windtunnel.domain.errors import ValidationError
from windtunnel.knowledge import Book
from windtunnel.telemetry.failure_rates import with_rates
from windtunnel.telemetry.fitting import fit_failures, fit_latency
from windtunnel.telemetry.observed import Gathered, Observed, Tally


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one agent or tool: its calibration, and why a part of it stays a prior (`reasons`)."""

    key: str
    name: str
    durations: int
    attempts: int
    errors: Mapping[str, int]
    calibration: Calibration | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The architecture with what was fitted, and what was found of each agent and tool, in its order."""

    architecture: Architecture
    findings: tuple[Finding, ...]
    tally: Tally
    changes: tuple[str, ...]


def calibrated(architecture: Architecture, gathered: Gathered, book: Book, *, source: str) -> Calibrated:
    """Take over what can be fitted; what was seen too seldom stays as it was, and the findings say so.

    `source` cites the traces. Calibrations of the same agents and tools by earlier traces are replaced. Raises
    ValidationError when nothing at all could be taken over.
    """
    things = [(agent.key, agent.name, agent.service) for agent in architecture.agents]
    things += [(tool.key, tool.name, tool.service) for tool in architecture.tools]
    findings = tuple(_finding(key, name, gathered.observed.get(key), source) for key, name, _ in things)
    found = {each.key: each.calibration for each in findings if each.calibration is not None}
    if not found:
        raise ValidationError(_nothing(gathered), rule="nothing_fitted", path=("traces",))
    fits = {key: each.latency for key, each in found.items() if each.latency is not None}
    rates = {key: each.failures for key, each in found.items() if each.failures is not None}
    kept = tuple(each for each in architecture.calibrations if each.key not in found)
    timed = replace(
        architecture,
        agents=tuple(replace(one, service=_service(fits.get(one.key), one.service)) for one in architecture.agents),
        tools=tuple(replace(one, service=_service(fits.get(one.key), one.service)) for one in architecture.tools),
        calibrations=(*kept, *found.values()),
    )
    errors = {key: gathered.observed[key] for key in rates}
    changed = with_rates(timed, errors, book, traces=gathered.tally.traces, source=source)
    changes = tuple(sentence for key, name, prior in things for sentence in _changes(name, prior, found.get(key)))
    return Calibrated(changed, findings, gathered.tally, changes)


def _finding(key: str, name: str, seen: Observed | None, source: str) -> Finding:
    if seen is None:
        return Finding(key, name, 0, 0, {}, None, ("No span of it was found.",))
    reasons: list[str] = []
    latency: FittedLatency | None = None
    failures: FittedFailures | None = None
    try:
        latency = fit_latency(seen.durations_ms)
    except ValidationError as why:
        reasons.append(f"The service time stays as it was: {why.message}")
    try:
        failures = fit_failures(seen.errors.total(), seen.attempts)
    except ValidationError as why:
        reasons.append(f"The failures stay as they were: {why.message}")
    taken = Calibration(key, source, latency, failures) if latency or failures else None
    return Finding(
        key, name, len(seen.durations_ms), seen.attempts, dict(seen.errors.most_common()), taken, tuple(reasons)
    )


def _service(fit: FittedLatency | None, prior: ServiceTime) -> ServiceTime:
    return prior if fit is None else ServiceTime(fit.mean_ms, fit.cv, Distribution(fit.distribution))


def _changes(name: str, prior: ServiceTime, found: Calibration | None) -> Iterator[str]:
    if found is None:
        return
    if found.latency is not None:
        fit = found.latency
        yield (
            f"{name}: service time {fit.distribution}, mean {fit.mean_ms:g} ms, cv {fit.cv:g} (was "
            f"{prior.distribution}, {prior.mean_ms:g} ms, {prior.cv:g}); {fit.samples} durations, KS distance "
            f"{fit.ks_distance:g} ({fit.quality.lower()})."
        )
    if found.failures is not None:
        seen = found.failures
        yield (
            f"{name}: {seen.failures} of {seen.attempts} attempts failed, {seen.probability:.2%} "
            f"({seen.low:.2%} to {seen.high:.2%})."
        )


def _nothing(gathered: Gathered) -> str:
    """Why nothing came of the traces, and what to do."""
    tally = gathered.tally
    if not tally.read:
        return "The traces hold no span."
    if not tally.matched:
        names = ", ".join(repr(name) for name, _ in tally.unmatched.most_common(5))
        known = f"; they are of {names}" if names else ""
        return (
            f"None of the {tally.read} spans is of an agent or tool of this architecture{known}. Say which name stands "
            "for which key, or name the agents and tools alike."
        )
    return f"{tally.matched} spans were matched, too few of each agent and tool to fit anything: record more runs."
