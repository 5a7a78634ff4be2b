"""The HTTP status that goes with each error code: the one table."""

from windtunnel.domain.errors import ErrorCode

STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.POLICY_VIOLATION: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.IDEMPOTENCY_MISMATCH: 409,
    ErrorCode.LIMIT_EXCEEDED: 413,
    ErrorCode.QUOTA_EXCEEDED: 429,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.TIMEOUT: 504,
}
"""Codes that are not here are the client's mistake: 400."""


def status_of(code: ErrorCode) -> int:
    """The HTTP status of an error with this code."""
    return STATUS.get(code, 400)
