"""How failures are named."""

from schema.enums.describe import describe
from windtunnel.domain.errors import ErrorCode

describe(
    ErrorCode,
    "Closed vocabulary of failures: `UserError.code` and top-level `errors[].extensions.code`.",
    {
        "BAD_USER_INPUT": "An input value was refused; the message says why.",
        "NOT_FOUND": "It does not exist, or is not yours: the two are not told apart.",
        "CONFLICT": "Its state does not allow this.",
        "QUOTA_EXCEEDED": "A quota is used up.",
        "POLICY_VIOLATION": "A rule forbids this.",
        "SCENARIO_TOO_COMPLEX": "The scenario needs more agents than one architecture may have.",
        "REVIEW_REQUIRED": "Only a security review can allow this.",
        "REVIEW_EXPIRED": "The review was not decided in time.",
        "ROLLBACK_WINDOW_CLOSED": "The time in which this could be rolled back is over.",
        "SCENARIO_EMPTY": "The scenario shows no text.",
        "SELF_REVIEW": "Nobody reviews their own submission.",
        "DIGEST_MISMATCH": "What was named is not what is stored.",
        "PACKAGE_INVALID": "The package does not pass its checks.",
        "VERSION_PRUNED": "This version is no longer retained.",
        "ROLLBACK_INELIGIBLE": "This version cannot be rolled back to.",
        "ENVIRONMENT_EXPIRED": "The environment's lifetime is over.",
        "ENVIRONMENT_PAUSED": "The environment is paused.",
        "IDEMPOTENCY_MISMATCH": "The idempotency key was used before with another input.",
        "FEATURE_DISABLED": "This feature is switched off.",
        "APPROVAL_INVALID": "The approval does not hold for this deployment.",
        "LIMIT_EXCEEDED": "The request is larger than the server accepts.",
        "UNAUTHENTICATED": "Nobody is signed in, or the token is not valid.",
        "FORBIDDEN": "None of your roles allows this.",
        "RATE_LIMITED": "Too many requests; try again later.",
        "QUERY_TOO_COMPLEX": "The query is deeper, wider or costlier than the server accepts.",
        "PERSISTED_DOCUMENT_NOT_FOUND": "The server knows no document by this hash.",
        "GRAPHQL_PARSE_FAILED": "The document is not GraphQL.",
        "GRAPHQL_VALIDATION_FAILED": "The document does not fit this schema.",
        "UNAVAILABLE": "Something this depends on is down; try again later.",
        "TIMEOUT": "Something this depends on did not answer in time.",
        "INTERNAL": "A defect of the server; it was logged.",
    },
)
