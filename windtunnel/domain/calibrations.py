"""Calibrations: what recorded spans said of one agent's own work or of one tool, and how well it was fitted."""

from dataclasses import dataclass
from enum import StrEnum


class FitQuality(StrEnum):
    """How well the fitted shape agrees with the durations: by the largest distance of the two distributions."""

    GOOD = "GOOD"
    FAIR = "FAIR"
    POOR = "POOR"


@dataclass(frozen=True, slots=True)
class FittedLatency:
    """A service time fitted by maximum likelihood. `ks_distance` is the Kolmogorov-Smirnov distance, 0 to 1.

    `samples` durations went in; `outliers` more were left out because they lie absurdly far from the rest.
    """

    distribution: str
    mean_ms: float
    cv: float
    samples: int
    outliers: int
    ks_distance: float
    quality: FitQuality


@dataclass(frozen=True, slots=True)
class FittedFailures:
    """How many of `attempts` failed, and the 95 % interval (Wilson) of the probability."""

    attempts: int
    failures: int
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was taken over for the agent or tool `key`; None: too little was seen, and the prior stays.

    `source` cites the traces.
    """

    key: str
    source: str
    latency: FittedLatency | None = None
    failures: FittedFailures | None = None
