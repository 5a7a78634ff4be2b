"""The one schema extension: documents cached, sizes limited, errors coded, operations counted."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter
from typing import Protocol, cast

from graphql import ExecutionResult, GraphQLError, get_operation_ast, specified_rules
from graphql.language import DocumentNode, OperationDefinitionNode
from graphql.validation import recommended_rules
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext
from strawberry.types.execution import StreamExecutionResult

from app.graphql.cost import ENTRY_POINTS, Cost
from app.graphql.documents import DocumentCache
from app.graphql.echoes import unechoed
from app.graphql.limits import Limits, long_numbers, over_limits
from app.graphql.masking import public_errors, with_code
from app.limiting.limiter import Account
from windtunnel.domain.errors import ErrorCode, RateLimitedError

RULES = (*specified_rules, *(rule for rule in recommended_rules if rule not in specified_rules))
"""The validation rules, built once: rules made anew per request would make every cached document unknown."""


class Observer(Protocol):
    """Told of each operation; `operation_type` is `query`, `mutation`, `subscription` or `unknown`."""

    def began(self, operation_type: str) -> None:
        """It is valid and is executed now; `ended` will follow."""

    def ended(self, operation_type: str, outcome: str, seconds: float) -> None:
        """Its `outcome` is `ok`, `errors` or, when it never began, `refused`."""


# Strawberry logs every error of every client with its stack; masking logs the defects, once.
logging.getLogger("strawberry.execution").disabled = True


class OperationGuard(SchemaExtension):
    """Stands at both ends of one operation; made by the function that `operation_guard` returns."""

    def __init__(self, documents: DocumentCache, limits: Limits, observer: Observer) -> None:
        self._documents = documents
        self._limits = limits
        self._observer = observer
        self._known = False
        self._outcome = "refused"

    def on_operation(self) -> Iterator[None]:
        """Set the limits; afterwards make the errors public and tell the observer."""
        started = perf_counter()
        context = self.execution_context
        context.parse_options["max_tokens"] = self._limits.tokens
        context.validation_rules = RULES
        try:
            yield
        finally:
            self._publish(context.result)
            self._observer.ended(_type_of(context), self._outcome, perf_counter() - started)

    def on_parse(self) -> Iterator[None]:
        """Take the document from the cache; errors of parsing are reported by the schema, on every transport."""
        context = self.execution_context
        context.graphql_document = self._documents.get(context.query or "")
        self._known = context.graphql_document is not None
        yield

    def on_validate(self) -> Iterator[None]:
        """Measure before validating, because validating a monster is what it is made for."""
        context = self.execution_context
        document = cast("DocumentNode", context.graphql_document)  # what could not be parsed does not come here
        problems = _ambiguous(document, context._provided_operation_name)  # noqa: SLF001 - as given, not as guessed
        if not problems and not self._known:
            problems = long_numbers(document) or over_limits(document, self._limits)
        if problems or self._known:
            context.pre_execution_errors = problems  # validation is skipped
        yield
        for error in context.pre_execution_errors or ():
            if "code" not in (error.extensions or {}):
                with_code(unechoed(error), ErrorCode.GRAPHQL_VALIDATION_FAILED)
        if context.query and not self._known and not context.pre_execution_errors:
            self._documents.put(context.query, document)

    async def on_execute(self) -> AsyncIterator[None]:
        """From here on something has happened, unless it would be too much."""
        if problem := await self._too_much():
            if _type_of(self.execution_context) == "subscription":
                raise problem
            self.execution_context.result = ExecutionResult(None, [problem])  # nothing is executed
        else:
            self._outcome = "ok"
            self._observer.began(_type_of(self.execution_context))
        yield

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Make the errors of one event public before it is sent."""
        self._publish(result)
        yield

    async def _too_much(self) -> GraphQLError | None:
        """Of a valid document; counted each time, because variables may hold page sizes."""
        context = self.execution_context
        document = cast("DocumentNode", context.graphql_document)
        operation = get_operation_ast(document, context._provided_operation_name)  # noqa: SLF001 - as above
        if operation is None:
            return None
        cost = Cost(context.schema._schema, document, context.variables or {})  # noqa: SLF001
        weight = cost.weight(operation)
        if weight.rows > self._limits.rows:
            message = (
                f"The operation asks for up to {weight.rows:,} rows, over the limit of {self._limits.rows:,}; "
                "ask for smaller pages, or in several requests."
            )
            return with_code(GraphQLError(message, operation), ErrorCode.QUERY_TOO_COMPLEX)
        account = getattr(context.context, "bill", None)
        if isinstance(account, Account) and (rest := cost.points(operation, weight) - ENTRY_POINTS):
            try:
                await account.pay(rest)
            except RateLimitedError as error:
                return GraphQLError(error.message, operation, original_error=error)
        return None

    def _publish(self, result: object) -> None:
        errors = getattr(result, "errors", None)
        if errors:
            result.errors = public_errors(errors, self.execution_context.context.request_id)  # type: ignore[attr-defined]
            if self._outcome == "ok":
                self._outcome = "errors"


def operation_guard(observer: Observer, limits: Limits | None = None) -> Callable[[], OperationGuard]:
    """What to give to `strawberry.Schema(extensions=[...])`: makes a guard for each operation, of one cache."""
    documents = DocumentCache()
    most = limits or Limits()
    return lambda: OperationGuard(documents, most, observer)


def _type_of(context: ExecutionContext) -> str:
    try:
        return context.operation_type.name.lower()
    except RuntimeError:
        return "unknown"


def _ambiguous(document: DocumentNode, name: str | None) -> list[GraphQLError]:
    """Strawberry would run the first of several operations; the specification wants to be told which."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) < 2 or name is not None:
        return []
    message = "Must provide operation name if query contains multiple operations."
    return [with_code(GraphQLError(message, operations), ErrorCode.BAD_USER_INPUT)]
