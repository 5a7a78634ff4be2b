"""Every expected failure: one class each, a stable code, a sentence that says what to do next.

    WindtunnelError
    ├── ValidationError      an input value was refused
    │   └── RefusedError     several were
    ├── NotFoundError        it does not exist, or is not yours
    ├── ConflictError        its state does not allow this
    ├── QuotaError           a quota is used up
    ├── PolicyError          a rule forbids this
    ├── ForbiddenError       the role does not allow this (a top-level GraphQL error)
    ├── RateLimitedError     too much was asked for in too little time
    └── UnavailableError     something this depends on is down or too slow

Anything else that is raised is a defect and is masked before it reaches a client.
"""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """Closed vocabulary of failures, shared by user errors and top-level GraphQL errors."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    POLICY_VIOLATION = "POLICY_VIOLATION"
    SCENARIO_TOO_COMPLEX = "SCENARIO_TOO_COMPLEX"
    REVIEW_REQUIRED = "REVIEW_REQUIRED"
    REVIEW_EXPIRED = "REVIEW_EXPIRED"
    ROLLBACK_WINDOW_CLOSED = "ROLLBACK_WINDOW_CLOSED"
    SCENARIO_EMPTY = "SCENARIO_EMPTY"
    SELF_REVIEW = "SELF_REVIEW"
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    PACKAGE_INVALID = "PACKAGE_INVALID"
    VERSION_PRUNED = "VERSION_PRUNED"
    ROLLBACK_INELIGIBLE = "ROLLBACK_INELIGIBLE"
    ENVIRONMENT_EXPIRED = "ENVIRONMENT_EXPIRED"
    ENVIRONMENT_PAUSED = "ENVIRONMENT_PAUSED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    FEATURE_DISABLED = "FEATURE_DISABLED"
    APPROVAL_INVALID = "APPROVAL_INVALID"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    PERSISTED_DOCUMENT_NOT_FOUND = "PERSISTED_DOCUMENT_NOT_FOUND"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"


class WindtunnelError(Exception):
    """An expected failure, safe to show to a person.

    `path` leads to the input to blame, in the caller's terms, e.g. `("input", "seed")`; None when no single input is.
    """

    default_code = ErrorCode.BAD_USER_INPUT

    def __init__(self, message: str, *, code: ErrorCode | None = None, path: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.path = tuple(path) if path is not None else None


class ValidationError(WindtunnelError):
    """An input value was refused; `rule` names the rule that failed, e.g. `string_too_long`."""

    def __init__(
        self, message: str, *, rule: str, code: ErrorCode | None = None, path: Sequence[str] | None = None
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.rule = rule


class RefusedError(ValidationError):
    """Several input values were refused: all `problems`, of which this is the first."""

    def __init__(self, problems: Sequence[ValidationError]) -> None:
        first = problems[0]
        super().__init__(first.message, rule=first.rule, code=first.code, path=first.path)
        self.problems = tuple(problems)


class NotFoundError(WindtunnelError):
    """The thing named by an id does not exist, or is not the viewer's: the two are not told apart."""

    default_code = ErrorCode.NOT_FOUND

    def __init__(self, message: str, *, resource_id: str | None = None, path: Sequence[str] | None = None) -> None:
        super().__init__(message, path=path)
        self.resource_id = resource_id


class ConflictError(WindtunnelError):
    """The thing is in a state (`current`) that does not allow this; `allowed` lists the states that would."""

    default_code = ErrorCode.CONFLICT

    def __init__(
        self,
        message: str,
        *,
        current: str,
        allowed: Sequence[str] = (),
        code: ErrorCode | None = None,
        path: Sequence[str] | None = None,
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.current = current
        self.allowed = tuple(allowed)


class QuotaError(WindtunnelError):
    """A quota of `limit` things is used up (`used` are taken)."""

    default_code = ErrorCode.QUOTA_EXCEEDED

    def __init__(self, message: str, *, limit: int, used: int, path: Sequence[str] | None = None) -> None:
        super().__init__(message, path=path)
        self.limit = limit
        self.used = used


class PolicyError(WindtunnelError):
    """The rule named `policy` forbids this."""

    default_code = ErrorCode.POLICY_VIOLATION

    def __init__(
        self, message: str, *, policy: str, code: ErrorCode | None = None, path: Sequence[str] | None = None
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.policy = policy


class ForbiddenError(WindtunnelError):
    """The viewer has none of the roles that this operation needs."""

    default_code = ErrorCode.FORBIDDEN


class RateLimitedError(WindtunnelError):
    """The caller has spent its points; they suffice again in `retry_after_s` seconds."""

    default_code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(WindtunnelError):
    """Something this operation depends on is down (UNAVAILABLE) or did not answer in time (TIMEOUT)."""

    default_code = ErrorCode.UNAVAILABLE
