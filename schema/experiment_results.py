"""What experiments found: estimates with their intervals, loads, impacts and differences."""

from typing import Self

import strawberry
from strawberry.scalars import JSON

from windtunnel.domain import experiments as domain


@strawberry.type(description="A mean or percentile with its 95 % confidence interval.")
class Estimate:
    """Shows `experiments.Estimate`."""

    mean: float = strawberry.field(description="The mean or percentile over all replications; a share is a mean.")
    low: float = strawberry.field(description="Lower end of the interval.")
    high: float = strawberry.field(description="Upper end of the interval.")

    @classmethod
    def of(cls, estimate: domain.Estimate) -> Self:
        """The estimate as data."""
        return cls(mean=estimate.mean, low=estimate.low, high=estimate.high)

    @classmethod
    def where_known(cls, estimate: domain.Estimate | None) -> Self | None:
        """The estimate as data; None where there is none."""
        return None if estimate is None else cls.of(estimate)


@strawberry.type(description="An agent or tool under load.")
class NodeLoad:
    """Shows `experiments.NodeLoad`."""

    key: str = strawberry.field(description="Key of the agent or tool.")
    utilisation: Estimate = strawberry.field(description="Share of the time in which its places are taken, 0 to 1.")
    wait_ms: Estimate = strawberry.field(description="Queueing per visit, in milliseconds.")
    attempts: int = strawberry.field(description="Attempts in all replications together.")
    failures: int = strawberry.field(description="Attempts that failed, in all replications together.")
    retries: int = strawberry.field(description="Attempts after the first of a visit, in all replications together.")
    throttled: int = strawberry.field(
        description="Attempts refused because a token quota was used up: the 429s of a model."
    )
    short_circuited: int = strawberry.field(description="Attempts that an open circuit breaker refused at once.")
    fallbacks: int = strawberry.field(description="Visits that the fallback answered.")
    blast_radius: float = strawberry.field(
        description="How much smaller the share of tasks that succeed is when this node is forced down, 0 to 1."
    )

    @classmethod
    def of(cls, load: domain.NodeLoad) -> Self:
        """The load as data."""
        return cls(
            key=load.key,
            utilisation=Estimate.of(load.utilisation),
            wait_ms=Estimate.of(load.wait_ms),
            attempts=load.attempts,
            failures=load.failures,
            retries=load.retries,
            throttled=load.throttled,
            short_circuited=load.short_circuited,
            fallbacks=load.fallbacks,
            blast_radius=load.blast_radius or 0.0,  # every experiment of a server measures it
        )


@strawberry.type(description="A failure mode: how likely it is, and what it costs when it happens.")
class FailureImpact:
    """Shows `experiments.FailureImpact`."""

    code: str = strawberry.field(description="Code in the catalogue of failure modes.")
    probability: float = strawberry.field(description="The chance that a run meets it, 0 to 1.")
    impact: float = strawberry.field(
        description="How much smaller the share of tasks that succeed is where it strikes than elsewhere, 0 to 1."
    )
    provenance: str = strawberry.field(
        description="How well founded the probability is: published, secondary, prior or calibrated, with its citation."
    )

    @classmethod
    def of(cls, impact: domain.FailureImpact) -> Self:
        """The impact as data."""
        return cls(code=impact.code, probability=impact.probability, impact=impact.impact, provenance=impact.provenance)


@strawberry.type(description="So many tasks took at least `fromMs` and less than `toMs`.")
class LatencyBin:
    """Shows `experiments.LatencyBin`."""

    from_ms: float = strawberry.field(description="Where it begins, in milliseconds.")
    to_ms: float = strawberry.field(description="Where it ends, in milliseconds.")
    tasks: int = strawberry.field(description="Tasks of all replications together.")


@strawberry.type(
    description="What one side of an experiment measured. Latencies are of tasks that succeeded, in milliseconds."
)
class ExperimentResult:
    """Shows `experiments.ExperimentResult`."""

    success_rate: Estimate = strawberry.field(description="Share of the tasks that succeed, 0 to 1.")
    degraded_rate: Estimate = strawberry.field(
        description="Share of the tasks that succeed only by a fallback, 0 to 1."
    )
    latency_mean_ms: Estimate = strawberry.field(
        description="The mean time from arrival to the end, in simulated milliseconds."
    )
    latency_p50_ms: Estimate = strawberry.field(description="Half of the tasks take no longer.")
    latency_p95_ms: Estimate = strawberry.field(description="95 % of the tasks take no longer.")
    latency_p99_ms: Estimate = strawberry.field(description="99 % of the tasks take no longer.")
    throughput_per_s: Estimate = strawberry.field(description="Tasks that succeed, per simulated second.")
    cost_usd_per_task: Estimate | None = strawberry.field(
        description="US dollars for each task that is offered; null without a price table."
    )
    tokens_per_task: Estimate = strawberry.field(
        description="Tokens of models, in and out, for each task that is offered."
    )
    nodes: list[NodeLoad] = strawberry.field(description="Every agent and tool under load.")
    analytic: JSON | None = strawberry.field(
        description="What queueing theory says of the long run, where it has a formula: `success_rate`, "
        "`throughput_per_s`, `latency_ms`, per node `load`, `attempts_per_visit` and `wait_ms`, and which nodes are "
        "`unstable`: get more work than they can do."
    )
    failure_modes: list[FailureImpact] = strawberry.field(
        description="The failure modes of the base, each forced to happen; none of a variant."
    )
    bottleneck: str | None = strawberry.field(description="Key of the agent or tool that is the busiest.")
    steps: int = strawberry.field(description="Attempts that were simulated, in all replications together.")
    warmup_tasks: int = strawberry.field(
        description="So many tasks at the start of each replication, in which the network fills, are left out."
    )
    latencies: list[LatencyBin] = strawberry.field(description="How long tasks took, from the fastest to the slowest.")
    cautions: list[str] = strawberry.field(
        description="What to know before believing the numbers, with its remedy: too much work, replications too short."
    )

    @classmethod
    def of(cls, result: domain.ExperimentResult) -> Self:
        """The result as data."""
        return cls(
            success_rate=Estimate.of(result.success_rate),
            degraded_rate=Estimate.of(result.degraded_rate),
            latency_mean_ms=Estimate.of(result.latency_mean_ms),
            latency_p50_ms=Estimate.of(result.latency_p50_ms),
            latency_p95_ms=Estimate.of(result.latency_p95_ms),
            latency_p99_ms=Estimate.of(result.latency_p99_ms),
            throughput_per_s=Estimate.of(result.throughput_per_s),
            cost_usd_per_task=Estimate.where_known(result.cost_usd_per_task),
            tokens_per_task=Estimate.of(result.tokens_per_task),
            nodes=[NodeLoad.of(each) for each in result.nodes],
            analytic=None if result.analytic is None else JSON(result.analytic),
            failure_modes=[FailureImpact.of(each) for each in result.failure_modes],
            bottleneck=result.bottleneck,
            steps=result.steps,
            warmup_tasks=result.warmup_tasks,
            latencies=[
                LatencyBin(from_ms=each.from_ms, to_ms=each.to_ms, tasks=each.tasks) for each in result.latencies
            ],
            cautions=[f"{each.head}. {each.body}" for each in result.cautions],
        )


@strawberry.type(description="Variant minus base, replication by replication on common random numbers.")
class ExperimentDifference:
    """Shows `experiments.ExperimentDifference`."""

    success_rate: Estimate = strawberry.field(description="Of the share of tasks that succeed, -1 to 1.")
    latency_p95_ms: Estimate = strawberry.field(
        description="Of the time that 95 % of the tasks do not exceed, in simulated milliseconds."
    )
    cost_usd_per_task: Estimate | None = strawberry.field(
        description="Of the US dollars for each task that is offered; null without a price table."
    )

    @classmethod
    def of(cls, difference: domain.ExperimentDifference) -> Self:
        """The difference as data."""
        return cls(
            success_rate=Estimate.of(difference.success_rate),
            latency_p95_ms=Estimate.of(difference.latency_p95_ms),
            cost_usd_per_task=Estimate.where_known(difference.cost_usd_per_task),
        )
