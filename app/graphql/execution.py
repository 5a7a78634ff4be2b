"""Runs operations: a fresh context for each, and answers that a client may read."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from app.graphql.cost import ENTRY_POINTS
from app.graphql.masking import public_errors
from app.graphql.operations import Answer, Caller, MakeContext, Operation, RefusedError
from app.graphql.trusted import DocumentError, TrustedDocuments
from windtunnel.domain.errors import RateLimitedError

EVERY_TYPE = frozenset(OperationType)
FAIR_SHARE = 32
"""How many results a stream may give before the others have a turn."""
INCREMENTAL = "Incremental delivery (@defer, @stream) is not offered here."


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may be looked at: its document is known, and this much is paid."""

    operation: Operation
    caller: Caller
    document: str


class WrongOperationTypeError(Exception):
    """This transport does not run operations of this type."""

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(f"A {operation_type.value} cannot be run in this way.")
        self.operation_type = operation_type


class Execution:
    """Runs the operations of one schema, whose extensions must hold an `operation_guard`."""

    def __init__(
        self, schema: strawberry.Schema, make_context: MakeContext, documents: TrustedDocuments | None = None
    ) -> None:
        self._schema = schema
        self._make_context = make_context
        self._documents = documents or TrustedDocuments()

    async def charge(self, caller: Caller) -> None:
        """Have whoever asks pay for an operation, before it is even read. Raises RefusedError."""
        try:
            if caller.account:
                await caller.account.pay(ENTRY_POINTS)
        except RateLimitedError as error:
            raise RefusedError(_refusal(error.message, error, caller)) from error

    def admit(self, operation: Operation, caller: Caller) -> Admitted:
        """Let an operation in that is paid for: its document is known. Raises RefusedError."""
        try:
            return Admitted(operation, caller, self._documents.text_of(operation, caller.tenant_id))
        except DocumentError as error:
            raise RefusedError(_refusal(error.message, error, caller)) from error

    async def run(self, admitted: Admitted, allowed: Collection[OperationType]) -> Answer:
        """The one answer of a query or mutation. Raises WrongOperationTypeError when its type is not `allowed`."""
        operation, caller = admitted.operation, admitted.caller
        try:
            result = await self._schema.execute(
                admitted.document,
                variable_values=operation.variables,
                context_value=self._make_context(caller),
                operation_name=operation.name,
                allowed_operation_types=allowed,
            )
        except InvalidOperationTypeError as error:
            raise WrongOperationTypeError(error.operation_type) from error
        except CannotGetOperationTypeError as error:
            return _refusal(error.as_http_error_reason(), error, caller)
        answer = _answer(result, caller)
        self._learn(admitted, answer)
        return _with_cost(answer, caller)

    async def stream(
        self, admitted: Admitted, allowed: Collection[OperationType] = EVERY_TYPE
    ) -> AsyncGenerator[Answer, None]:
        """The answers of any operation: one for a query or mutation, many for a subscription."""
        operation, caller = admitted.operation, admitted.caller
        results = await self._schema.stream(
            admitted.document,
            variable_values=operation.variables,
            context_value=self._make_context(caller),
            operation_name=operation.name,
            allowed_operation_types=allowed,
        )
        async with aclosing(results):
            taken = 0
            async for result in results:
                taken += 1
                if taken % FAIR_SHARE == 0:  # a source that never waits would keep everybody else waiting
                    await asyncio.sleep(0)
                answer = (
                    _answer(result, caller)
                    if isinstance(result, ExecutionResult)
                    else _refusal(INCREMENTAL, MissingQueryError(), caller)
                )
                if taken == 1:  # later events cost nothing
                    self._learn(admitted, answer)
                    answer = _with_cost(answer, caller)
                yield answer
                if answer.refused or answer.final:
                    return

    def _learn(self, admitted: Admitted, answer: Answer) -> None:
        if not answer.refused and admitted.operation.document_id:
            self._documents.learn(admitted.operation, admitted.caller.tenant_id)


def _answer(result: ExecutionResult, caller: Caller) -> Answer:
    body: dict[str, Any] = {}
    errors = public_errors(result.errors or [], caller.request_id)
    if errors:
        body["errors"] = [error.formatted for error in errors]
    # Without data, an error that has no path comes from before the execution, or from the source of a stream.
    final = result.data is None and any(error.path is None for error in errors)
    refused = isinstance(result, PreExecutionError) or final
    if not refused:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return Answer(body, refused=refused, final=final)


def _refusal(message: str, cause: Exception, caller: Caller) -> Answer:
    answer = _answer(PreExecutionError(data=None, errors=[GraphQLError(message, original_error=cause)]), caller)
    return _with_cost(answer, caller)


def _with_cost(answer: Answer, caller: Caller) -> Answer:
    """The answer with `extensions.cost`, when somebody counts."""
    if caller.account:
        answer.body["extensions"] = {**answer.body.get("extensions", {}), "cost": caller.account.shown()}
    return answer
