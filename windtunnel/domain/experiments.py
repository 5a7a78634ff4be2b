"""Experiments: many silent replications of one architecture under load, alone or beside a variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter


class ExperimentStatus(StrEnum):
    """Where an experiment stands; the last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self in {ExperimentStatus.SUCCEEDED, ExperimentStatus.FAILED, ExperimentStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or percentile and its 95 % confidence interval, in the unit of what was measured.

    One replication alone has an interval of no width, but for shares: nothing is known of its spread.
    """

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2

    def times(self, factor: float) -> "Estimate":
        """The same in a unit that is so many times smaller."""
        return Estimate(self.mean * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class NodeLoad:
    """An agent or tool under load. `wait_ms` is queueing per visit; the counts are sums over all replications.

    `utilisation` is per place, 0 to 1, retries included. `blast_radius` is the success lost when the node is forced
    down, 0 to 1 (None: nothing was forced down).
    """

    key: str
    utilisation: Estimate
    wait_ms: Estimate
    attempts: int
    failures: int
    retries: int
    throttled: int = 0
    short_circuited: int = 0
    fallbacks: int = 0
    blast_radius: float | None = None


@dataclass(frozen=True, slots=True)
class FailureImpact:
    """A failure mode: how likely per run, and the success lost where it strikes against where it does not; 0 to 1."""

    code: str
    probability: float
    impact: float
    provenance: str


@dataclass(frozen=True, slots=True)
class LatencyBin:
    """So many tasks of all replications together took at least `from_ms` and less than `to_ms` milliseconds."""

    from_ms: float
    to_ms: float
    tasks: int


TOO_MUCH_WORK = "Too much work"
"""The head of the gravest caution: there is no long run."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to know before believing the numbers, with its remedy: a head of a few words, and sentences."""

    head: str
    body: str


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """What one side of an experiment measured. Latencies are of tasks that succeeded, in milliseconds.

    The first `warmup_tasks` tasks of each replication, in which the network fills, count for neither success nor
    latency. Costs are None without a price table. `analytic` is the closed form, where there is one. `latencies` are
    neighbouring bins, from the fastest task to the slowest, evenly wide on a logarithmic scale. `cautions` say where
    the numbers are not those of the long run, or come from too little.
    """

    success_rate: Estimate
    latency_mean_ms: Estimate
    latency_p50_ms: Estimate
    latency_p95_ms: Estimate
    latency_p99_ms: Estimate
    throughput_per_s: Estimate
    cost_usd_per_task: Estimate | None
    tokens_per_task: Estimate
    degraded_rate: Estimate
    nodes: tuple[NodeLoad, ...]
    analytic: Mapping[str, Any] | None
    failure_modes: tuple[FailureImpact, ...]
    bottleneck: str | None
    steps: int
    warmup_tasks: int
    latencies: tuple[LatencyBin, ...] = ()
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class ExperimentDifference:
    """Variant minus base, replication by replication on common random numbers."""

    success_rate: Estimate
    latency_p95_ms: Estimate
    cost_usd_per_task: Estimate | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that an experiment found; `variant` and `difference` only with a variant."""

    base: ExperimentResult
    variant: ExperimentResult | None = None
    difference: ExperimentDifference | None = None


def careful(result: ExperimentResult) -> str:
    """The heads of all cautions in a sentence that may follow others; nothing when there are none."""
    heads = "; ".join(caution.head.lower() for caution in result.cautions)
    return f" To be read with care: {heads}." if heads else ""


@dataclass(frozen=True, slots=True)
class Load:
    """What each replication is put through: tasks that arrive as a Poisson stream, `arrival_rate` per second."""

    seed: int
    replications: int = 200
    tasks: int = 300
    arrival_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as stored. `overrides` and `variant` are as asked for; `findings` once it has succeeded.

    `progress` is 0 to 1. `failure` says why it FAILED, in words. `request_id` is that of the request that began it.
    Whoever conducts it has claimed it under `fence`, and is `lease_owner`.
    """

    id: str
    tenant_id: str
    architecture_id: str
    environment_id: str | None
    package_digest: str | None
    status: ExperimentStatus
    load: Load
    overrides: Mapping[str, Any] | None
    variant: Mapping[str, Any] | None
    progress: float
    last_seq: int
    findings: Findings | None
    failure: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    request_id: str = ""
    fence: int = 0
    lease_owner: str | None = None


@dataclass(frozen=True, slots=True)
class ExperimentEvent:
    """How an experiment stood at some time. `seq` counts from 1 without gaps; `progress` is 0 to 1."""

    experiment_id: str
    seq: int
    at: datetime
    status: ExperimentStatus
    progress: float


@dataclass(frozen=True, slots=True)
class ExperimentFilter:
    """Which experiments are wanted: all conditions hold together; None is no condition."""

    architecture_id: str | None = None
    statuses: frozenset[ExperimentStatus] | None = None


FINAL_STATUSES = frozenset(status for status in ExperimentStatus if status.is_final)
OPEN_STATUSES = frozenset(ExperimentStatus) - FINAL_STATUSES

_FINDINGS = TypeAdapter(Findings)


def findings_to_json(findings: Findings) -> str:
    """As stored with an experiment."""
    return _FINDINGS.dump_json(findings).decode()


def findings_from_json(data: str | bytes) -> Findings:
    """The reverse of `findings_to_json`."""
    return _FINDINGS.validate_json(data)
