"""How simulations are run and how they stand."""

from schema.enums.describe import describe
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.simulations import FailureInjection, SimulationStage, SimulationStatus

describe(
    SimulationStatus,
    "PLANNING, then QUEUED, RUNNING and SUCCEEDED; FAILED and CANCELLED end it from any of the first three.",
    {
        "QUEUED": "Planned; waiting for its turn.",
        "PLANNING": "The planning agents are at work.",
        "RUNNING": "The network is being simulated.",
        "SUCCEEDED": "Simulated to its end, whatever failures it met.",
        "FAILED": "Planning or the engine failed; see `error`.",
        "CANCELLED": "Stopped by a person.",
    },
)
describe(
    SimulationStage,
    "How far a caller wants to wait.",
    {
        "ACCEPTED": "Until it is stored.",
        "PLANNED": "Until there is an architecture.",
        "FINISHED": "Until it is over.",
    },
)
describe(
    FailureInjection,
    "Which failures a simulation meets.",
    {
        "AUTO": "Those that were planned: at least one.",
        "NONE": "None.",
        "ONLY_LISTED": "Only those in `injectFailures`.",
    },
)
describe(
    PlannerMode,
    "Which model answers.",
    {
        "OFFLINE": "The built-in one, which needs no key and repeats itself exactly.",
        "OPENAI": "An OpenAI-compatible endpoint.",
    },
)
