"""How failure modes are judged."""

from schema.enums.describe import describe
from windtunnel.domain.failures import FailureCategory, FailureOutcome, Likelihood, Severity

describe(
    FailureCategory,
    "Where a failure comes from.",
    {
        "TOOL": "A tool or the service behind it.",
        "MODEL": "The model: its service, its instructions or its judgement.",
        "DATA": "The data that is read or retrieved.",
        "COORDINATION": "The way the agents work together.",
        "RESOURCE": "Time, money, capacity or distribution.",
        "SECURITY": "Somebody means harm, or a rule of law is broken.",
        "HUMAN": "A person in the loop.",
    },
)
describe(
    Severity,
    "How bad it is when it happens.",
    {
        "LOW": "Hardly noticed.",
        "MEDIUM": "Noticed; the work goes on.",
        "HIGH": "Some of the work is lost or wrong.",
        "CRITICAL": "The work fails, or does damage.",
    },
)
describe(
    Likelihood,
    "How often to expect it: bands of the probability per run.",
    {
        "RARE": "Below 1 %.",
        "UNLIKELY": "Below 5 %.",
        "POSSIBLE": "Below 20 %.",
        "LIKELY": "20 % and more.",
    },
)
describe(
    FailureOutcome,
    "How a triggered failure ended.",
    {
        "RECOVERED": "The work was done as if nothing had happened, only later.",
        "DEGRADED": "The work was done less well, e.g. by a fallback.",
        "UNRECOVERED": "The work was not done.",
    },
)
