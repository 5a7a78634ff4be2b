"""What a deployment is up to in each of its states, what can be done next, and what helps when deploying failed."""

from windtunnel.domain.deployments import Deployment, DeploymentStatus
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.policy import DEPLOY_ATTEMPTS_MAX

NEXT = {
    DeploymentStatus.SUBMITTED: "It waits for its validation, which takes seconds.",
    DeploymentStatus.VALIDATING: "It is being validated, which takes seconds.",
    DeploymentStatus.INVALID: "Correct what its validation found, and submit the package that you build then.",
    DeploymentStatus.IN_REVIEW: "Reviewers can approve or reject it, whoever submitted it can withdraw it.",
    DeploymentStatus.REJECTED: "Correct what its reviewer found, and submit the package that you build then.",
    DeploymentStatus.EXPIRED: "Nobody decided within 24 hours. Submit the package again.",
    DeploymentStatus.WITHDRAWN: "Submit the package again if it is wanted after all.",
    DeploymentStatus.APPROVED: "It is decided, and a worker deploys it by itself.",
    DeploymentStatus.HELD: "A rollback holds back what was submitted before it, until an OPERATOR lifts the hold.",
    DeploymentStatus.DEPLOYING: "A worker is at it: within minutes it is LIVE or has failed.",
    DeploymentStatus.DEPLOY_FAILED: "Its `failure` says why, and what helps.",
    DeploymentStatus.LIVE: "It is in production. An OPERATOR can take it back with a rollback.",
    DeploymentStatus.RETIRED: "Another version has taken its place. An OPERATOR can restore it with a rollback.",
    DeploymentStatus.ROLLED_BACK: "A rollback took it out of production. Submit a version that works.",
    DeploymentStatus.LAPSED: "Its approval was good for 24 hours. Submit the package again: it needs a new review.",
}
"""In words for people."""

_IN_VAIN = {
    ErrorCode.APPROVAL_INVALID: "Submit the package again: it needs a new review.",
    ErrorCode.DIGEST_MISMATCH: "Upload and submit the package again: it needs a new review.",
    ErrorCode.PACKAGE_INVALID: "Upload and submit the package again: it needs a new review.",
}
_PACKAGE_OR_NOT = "If the package is at fault, submit one that works; if not, "
_BEFORE = {
    ErrorCode.UNAVAILABLE: _PACKAGE_OR_NOT,
    ErrorCode.TIMEOUT: _PACKAGE_OR_NOT,
    ErrorCode.POLICY_VIOLATION: "Somebody has to change that first; then ",
}


def what_helps(code: ErrorCode, attempts: int, *, in_time: bool) -> str:
    """What to do about a deployment that failed so in its attempt number `attempts`; `in_time`: its approval holds."""
    if code in _IN_VAIN:
        return f"Trying again cannot help. {_IN_VAIN[code]}"
    if not in_time:
        return "It cannot be tried again: its approval was good for 24 hours. Submit the package again."
    left = DEPLOY_ATTEMPTS_MAX - attempts
    if left <= 0:
        return f"It was tried {attempts} times, and no more are allowed. Submit a package that works."
    again = f"an OPERATOR can have it tried again, {'once' if left == 1 else 'twice'} more."
    return f"{_BEFORE[code]}{again}" if code in _BEFORE else f"{again[0].upper()}{again[1:]}"


def failure_now(deployment: Deployment) -> str | None:
    """Why it came no further, and what helps by now; None when nothing failed."""
    if deployment.failure is None:
        return None
    if deployment.status is DeploymentStatus.DEPLOY_FAILED:
        return f"{deployment.failure} {what_helps(_code_of(deployment.failure), deployment.attempts, in_time=True)}"
    if deployment.status in {DeploymentStatus.HELD, DeploymentStatus.LAPSED}:
        return f"{deployment.failure} {NEXT[deployment.status]}"
    return deployment.failure


def _code_of(failure: str) -> ErrorCode:
    """What a failed attempt is stored with, before the words for people."""
    code = failure.partition(":")[0]
    return ErrorCode(code) if code in ErrorCode.__members__ else ErrorCode.UNAVAILABLE
