"""Calibrations: what recorded spans say of agents and tools."""

from typing import Self

import strawberry

from schema.info import optional
from windtunnel.domain import calibrations as domain
from windtunnel.domain.calibrations import FitQuality


@strawberry.type(description="A service time fitted to recorded durations by maximum likelihood.")
class FittedLatency:
    """Shows `calibrations.FittedLatency`."""

    distribution: str = strawberry.field(description="Its shape: lognormal, exponential or deterministic.")
    mean_ms: float = strawberry.field(description="Mean, in milliseconds.")
    cv: float = strawberry.field(description="Coefficient of variation: standard deviation by mean.")
    samples: int = strawberry.field(description="Durations that it was fitted to.")
    outliers: int = strawberry.field(description="Durations left out, because no shape explains them.")
    ks_distance: float = strawberry.field(description="Kolmogorov-Smirnov distance of fit and durations, 0 to 1.")
    quality: FitQuality = strawberry.field(description="What that distance means.")

    @classmethod
    def of(cls, fit: domain.FittedLatency) -> Self:
        """The fit as data."""
        return cls(
            distribution=fit.distribution,
            mean_ms=fit.mean_ms,
            cv=fit.cv,
            samples=fit.samples,
            outliers=fit.outliers,
            ks_distance=fit.ks_distance,
            quality=fit.quality,
        )


@strawberry.type(description="How many attempts failed, with the 95 % interval (Wilson) of the probability.")
class FittedFailures:
    """Shows `calibrations.FittedFailures`."""

    attempts: int = strawberry.field(description="Attempts seen, those that were tried again included.")
    failures: int = strawberry.field(description="Those of them that failed.")
    probability: float = strawberry.field(description="Share of attempts that failed, 0 to 1.")
    low: float = strawberry.field(description="Lower end of the interval.")
    high: float = strawberry.field(description="Upper end of the interval.")

    @classmethod
    def of(cls, fit: domain.FittedFailures) -> Self:
        """The fit as data."""
        return cls(
            attempts=fit.attempts, failures=fit.failures, probability=fit.probability, low=fit.low, high=fit.high
        )


@strawberry.type(description="What recorded spans say of one agent's own work, or of one tool.")
class Calibration:
    """Shows `calibrations.Calibration`."""

    key: str = strawberry.field(description="Key of the agent or tool.")
    source: str = strawberry.field(description="The traces it was taken from.")
    latency: FittedLatency | None = strawberry.field(description="Null when the service time is still a prior.")
    failures: FittedFailures | None = strawberry.field(description="Null when its failures are still priors.")

    @classmethod
    def of(cls, calibration: domain.Calibration) -> Self:
        """The calibration as data."""
        return cls(
            key=calibration.key,
            source=calibration.source,
            latency=optional(FittedLatency.of, calibration.latency),
            failures=optional(FittedFailures.of, calibration.failures),
        )
