"""How well fits agree with what was observed."""

from schema.enums.describe import describe
from windtunnel.domain.calibrations import FitQuality

describe(
    FitQuality,
    "How well the fitted shape agrees with the durations.",
    {
        "GOOD": "No further apart than 0.05, or than chance alone explains in 95 % of samples of this size.",
        "FAIR": "No further apart than 0.1.",
        "POOR": "Further apart: look at the durations before believing the mean.",
    },
)
