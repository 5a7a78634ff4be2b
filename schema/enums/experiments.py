"""How experiments stand."""

from schema.enums.describe import describe
from windtunnel.domain.experiments import ExperimentStatus

describe(
    ExperimentStatus,
    "QUEUED, RUNNING, then how it ended.",
    {
        "QUEUED": "It waits for a worker.",
        "RUNNING": "Its replications are being simulated.",
        "SUCCEEDED": "It has its result.",
        "FAILED": "It could not be simulated; see `error`.",
        "CANCELLED": "Stopped by a person.",
    },
)
