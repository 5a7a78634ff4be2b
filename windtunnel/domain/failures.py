"""Failure modes: what can go wrong, in general (definition) and in one architecture (failure mode)."""

from dataclasses import dataclass
from enum import StrEnum


class FailureCategory(StrEnum):
    """Where a failure comes from."""

    TOOL = "TOOL"
    MODEL = "MODEL"
    DATA = "DATA"
    COORDINATION = "COORDINATION"
    RESOURCE = "RESOURCE"
    SECURITY = "SECURITY"
    HUMAN = "HUMAN"


class Severity(StrEnum):
    """How bad it is when it happens."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class Likelihood(StrEnum):
    """How often to expect it: bands of the probability per run (below 1 %, 5 %, 20 %, above)."""

    RARE = "RARE"
    UNLIKELY = "UNLIKELY"
    POSSIBLE = "POSSIBLE"
    LIKELY = "LIKELY"


class FailureOutcome(StrEnum):
    """How a triggered failure ended."""

    RECOVERED = "RECOVERED"
    DEGRADED = "DEGRADED"
    UNRECOVERED = "UNRECOVERED"


class Inject(StrEnum):
    """What a fault does to the step that it hits."""

    ERROR = "error"
    LATENCY = "latency"
    OUTAGE_WINDOW = "outage_window"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"
    WRONG_OUTPUT = "wrong_output"
    LOOP = "loop"
    SKIP = "skip"
    DROP = "drop"
    DUPLICATE = "duplicate"
    BLOCK = "block"
    OVERLOAD = "overload"
    HIJACK = "hijack"
    EXFILTRATE = "exfiltrate"


class FaultUnit(StrEnum):
    """What a fault's probability counts: one draw per ..."""

    RUN = "run"
    AGENT_RUN = "agent_run"
    TOOL_CALL = "tool_call"
    MODEL_CALL = "model_call"
    EDGE = "edge"
    HUMAN_TASK = "human_task"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class FailureEffect:
    """How a fault acts in a simulation. `probability` is the chance per `per`, our prior unless published."""

    inject: Inject
    per: FaultUnit
    probability: float
    silent: bool
    retryable: bool
    cascades_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailureModeDefinition:
    """An entry of the book: a failure mode with its source. `canonical` is the code of the mode that it acts as."""

    code: str
    title: str
    category: FailureCategory
    description: str
    source: str
    signals: tuple[str, ...]
    mitigations: tuple[str, ...]
    canonical: str
    provenance: str
    effect: FailureEffect


@dataclass(frozen=True, slots=True)
class FailureMode:
    """A failure mode expected in one architecture, predicted before any run.

    `key` is unique in the architecture, `targets` are agent keys, `target_tool` narrows it to one tool.
    `probability` is per run, 0 to 1; `provenance` says where the number comes from.
    """

    key: str
    code: str
    severity: Severity
    likelihood: Likelihood
    probability: float
    provenance: str
    rationale: str
    targets: tuple[str, ...]
    target_tool: str | None
    mitigation: str
    detection: str
    effect: FailureEffect


CALIBRATED = "calibrated"
"""How the provenance of a number begins that was measured: `FailureEffect.probability` is then of one attempt."""


def likelihood_of(probability: float) -> Likelihood:
    """The band of a probability per run."""
    if probability < 0.01:
        return Likelihood.RARE
    if probability < 0.05:
        return Likelihood.UNLIKELY
    if probability < 0.2:
        return Likelihood.POSSIBLE
    return Likelihood.LIKELY
