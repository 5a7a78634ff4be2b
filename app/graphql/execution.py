"""Runs operations: a fresh context for each, and answers that a client may read."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from app.graphql.masking import public_errors
from windtunnel.domain.viewers import Viewer

EVERY_TYPE = frozenset(OperationType)
FAIR_SHARE = 32
"""How many results a stream may give before the others have a turn."""
INCREMENTAL = "Incremental delivery (@defer, @stream) is not offered here."


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks for, on any transport."""

    query: str | None
    variables: dict[str, Any] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and under which id the logs speak of it."""

    viewer: Viewer | None
    request_id: str
    connection_params: dict[str, Any] = field(default_factory=dict)


MakeContext = Callable[[Caller], object]
"""Makes the context of one operation; the schema's loaders live in it, so it is never shared by two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One result. `refused`: nothing was executed. `final`: the source failed, and nothing can follow."""

    body: dict[str, Any]
    refused: bool = False
    final: bool = False

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors as clients see them; empty when there are none."""
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found


class WrongOperationTypeError(Exception):
    """This transport does not run operations of this type."""

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(f"A {operation_type.value} cannot be run in this way.")
        self.operation_type = operation_type


class Execution:
    """Runs the operations of one schema, whose extensions must hold an `operation_guard`."""

    def __init__(self, schema: strawberry.Schema, make_context: MakeContext) -> None:
        self._schema = schema
        self._make_context = make_context

    async def run(self, operation: Operation, caller: Caller, allowed: Collection[OperationType]) -> Answer:
        """The one answer of a query or mutation. Raises WrongOperationTypeError when its type is not `allowed`."""
        try:
            result = await self._schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=self._make_context(caller),
                operation_name=operation.name,
                allowed_operation_types=allowed,
            )
        except InvalidOperationTypeError as error:
            raise WrongOperationTypeError(error.operation_type) from error
        except CannotGetOperationTypeError as error:
            return _refusal(error.as_http_error_reason(), error, caller)
        except MissingQueryError as error:
            return _refusal("The request has no `query`.", error, caller)
        return _answer(result, caller)

    async def stream(
        self, operation: Operation, caller: Caller, allowed: Collection[OperationType] = EVERY_TYPE
    ) -> AsyncGenerator[Answer, None]:
        """The answers of any operation: one for a query or mutation, many for a subscription."""
        results = await self._schema.stream(
            operation.query,
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
                yield answer
                if answer.refused or answer.final:
                    return


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
    return _answer(PreExecutionError(data=None, errors=[GraphQLError(message, original_error=cause)]), caller)
