"""The rules of rollbacks: what is asked for in words, and why it is refused."""

from collections.abc import Sequence

from windtunnel.domain.agents import AgentVersion, Ineligible, VersionState
from windtunnel.domain.eligibility import EXPLAINED
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    NotFoundError,
    PolicyError,
    ValidationError,
    WindtunnelError,
)
from windtunnel.domain.policy import REASON_MAX_CHARS, ROLLBACK_REASON_MIN_CHARS
from windtunnel.domain.rollbacks import Rollback
from windtunnel.domain.scenarios import check_storable

_TARGET = ("input", "to_version_id")
_NO_TARGET = (
    "There is no version to go back to; `ineligibleReason` of each says why. What a rollback took away, a security "
    "reviewer can release (`releaseQuarantine`)."
)


def check_reason(reason: str) -> str:
    """Why something is done to production, without blanks around it. Raises ValidationError for too little or much."""
    path = ("input", "reason")
    trimmed = reason.strip()
    if not ROLLBACK_REASON_MIN_CHARS <= len(trimmed) <= REASON_MAX_CHARS:
        raise ValidationError(
            f"Give a reason of {ROLLBACK_REASON_MIN_CHARS} to {REASON_MAX_CHARS:,} characters: it stays on record.",
            rule="reason_length",
            path=path,
        )
    check_storable(trimmed, path)
    return trimmed


def no_such_agent(agent_id: str) -> NotFoundError:
    """There is none, or it belongs to someone else."""
    return NotFoundError("There is no such agent.", resource_id=agent_id, path=("input", "agent_id"))


def no_such_version(version_id: str, path: Sequence[str] = _TARGET) -> NotFoundError:
    """There is none, it belongs to someone else, or to another agent."""
    return NotFoundError("There is no such version of the agent.", resource_id=version_id, path=path)


def ineligible(version: AgentVersion, why: Ineligible) -> WindtunnelError:
    """This version cannot be restored."""
    message = f"Version {version.version} cannot be restored. {EXPLAINED[why]}"
    if why is Ineligible.WINDOW_CLOSED:
        return window_closed()
    code = ErrorCode.VERSION_PRUNED if why is Ineligible.PRUNED else ErrorCode.ROLLBACK_INELIGIBLE
    return ConflictError(
        message, current=version.state.value, allowed=[VersionState.STANDBY.value], code=code, path=_TARGET
    )


def window_closed() -> PolicyError:
    """What is in production has been there for too long."""
    return PolicyError(
        f"{EXPLAINED[Ineligible.WINDOW_CLOSED]} Submit the version that you want for deployment instead.",
        policy="rollback-window",
        code=ErrorCode.ROLLBACK_WINDOW_CLOSED,
    )


def nothing_to_restore(why: Ineligible | None) -> ConflictError:
    """No version was named, and there is none that could be restored."""
    return ConflictError(
        EXPLAINED[why] if why else _NO_TARGET,
        current=why.value if why else "NO_TARGET",
        allowed=[VersionState.STANDBY.value],
        code=ErrorCode.ROLLBACK_INELIGIBLE,
    )


def already_rolling_back(rollback: Rollback) -> ConflictError:
    """A rollback to another version runs."""
    return ConflictError(
        "A rollback of this agent to another version is running. Wait for its end, a minute at most.",
        current=rollback.status.value,
        allowed=["SUCCEEDED", "FAILED"],
    )
