"""Words and numbers as people read them in every picture."""

from windtunnel.domain.architectures import AgentRole, Link, LinkKind, NetworkAgent
from windtunnel.domain.failures import FailureOutcome, Severity
from windtunnel.drawing.text import clean

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""Worst first."""

OUTCOMES = (FailureOutcome.UNRECOVERED, FailureOutcome.DEGRADED, FailureOutcome.RECOVERED)
"""Worst first."""


def role_word(role: AgentRole) -> str:
    """`Router`, `Human`."""
    return role.value.capitalize()


def link_kind_word(kind: LinkKind) -> str:
    """`Handoff`, `Feedback`."""
    return kind.value.capitalize()


def link_share(link: Link) -> str:
    """The share of work that takes a link; empty when all of it does."""
    return share(link.probability) if link.probability is not None and link.probability < 1 else ""


def link_words(link: Link, target: NetworkAgent) -> str:
    """What a link says: its condition, else its label unless that only names its target."""
    label = clean(link.label)
    return clean(link.condition or "") or ("" if label.casefold() == clean(target.name).casefold() else label)


def link_text(link: Link, target: NetworkAgent) -> str:
    """What a link says, and the share of work that takes it."""
    return " · ".join(filter(None, (link_words(link, target), link_share(link))))


def share(probability: float) -> str:
    """A probability as a percentage: `30 %`, `2.5 %`, `< 0.1 %`."""
    percent = probability * 100
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def duration(milliseconds: float) -> str:
    """A span of time with at most two units: `850 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`, `1 d 4 h`."""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    total = round(seconds)
    for size, unit, smaller, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if total >= size:
            rest = total % size // smaller
            return f"{total // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{total} s"


def pace(per_second: float) -> tuple[str, float]:
    """The span of time in which a number of tasks is easy to read, and its seconds: `second` to `day`."""
    for span, seconds in (("second", 1.0), ("minute", 60.0), ("hour", 3_600.0)):
        if per_second * seconds >= 0.1:
            return span, seconds
    return ("day", 86_400.0) if per_second > 0 else ("second", 1.0)


def count(number: int, noun: str) -> str:
    """`1 agent`, `3 agents`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
