"""What a client may read of an error: expected ones with their code, anything else only by its request id."""

from typing import cast

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from graphql.language import VariableDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from app.graphql.echoes import unechoed
from windtunnel.domain.errors import ErrorCode, RateLimitedError, WindtunnelError

INTERNAL_MESSAGE = "Internal server error."
REQUEST_ERRORS = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)

log = structlog.get_logger()


def public_errors(errors: list[GraphQLError], request_id: str) -> list[GraphQLError]:
    """The errors as clients see them, each with `extensions.code`; doing it twice changes nothing."""
    return [public_error(error, request_id) for error in errors]


def public_error(error: GraphQLError, request_id: str) -> GraphQLError:
    """The error with its code, or, for a defect, a masked one; the defect is logged, once, under `request_id`."""
    if "code" in (error.extensions or {}):
        return error
    cause = _cause(error)
    if isinstance(cause, WindtunnelError):
        later = {"retryAfter": cause.retry_after_s} if isinstance(cause, RateLimitedError) else None
        return with_code(GraphQLError(cause.message, error.nodes, path=error.path, extensions=later), cause.code)
    if isinstance(cause, RecursionError) and error.path is None:
        return with_code(GraphQLError("The document is nested too deeply."), ErrorCode.QUERY_TOO_COMPLEX)
    code = _code_of(error, cause)
    if code is not ErrorCode.INTERNAL:
        return with_code(unechoed(error), code)
    log.error("defect", request_id=request_id, path=error.path, message=error.message, exc_info=cause or error)
    return with_code(
        GraphQLError(INTERNAL_MESSAGE, error.nodes, path=error.path, extensions={"requestId": request_id}), code
    )


def with_code(error: GraphQLError, code: ErrorCode) -> GraphQLError:
    """The same error, with `extensions.code`."""
    error.extensions = {**(error.extensions or {}), "code": code.value}
    return error


def _cause(error: GraphQLError) -> Exception | None:
    """The exception below all wrappings, None when graphql-core itself found fault."""
    cause: Exception | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _code_of(error: GraphQLError, cause: Exception | None) -> ErrorCode:
    if isinstance(error, GraphQLSyntaxError):
        too_much = error.message.endswith("Parsing aborted.")  # too many tokens, or nested too deeply
        return ErrorCode.QUERY_TOO_COMPLEX if too_much else ErrorCode.GRAPHQL_PARSE_FAILED
    if isinstance(cause, REQUEST_ERRORS) or _blames_a_variable(error):
        return ErrorCode.BAD_USER_INPUT
    if isinstance(cause, GraphQLError):
        if "code" in (cause.extensions or {}):
            return ErrorCode(cast("str", (cause.extensions or {})["code"]))
        # An argument that could not be coerced is blamed by its own nodes; a result that could not be written is not.
        return ErrorCode.BAD_USER_INPUT if cause.nodes else ErrorCode.INTERNAL
    if cause is None and error.path is None:
        return ErrorCode.BAD_USER_INPUT
    return ErrorCode.INTERNAL


def _blames_a_variable(error: GraphQLError) -> bool:
    return bool(error.nodes) and error.path is None and isinstance((error.nodes or [])[0], VariableDefinitionNode)
