"""Payloads of mutations: the one place where an expected failure becomes data."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from schema.arguments import texts
from schema.errors import ConflictError, NotFoundError, PolicyError, QuotaError, UserError, ValidationError
from schema.ids import decode
from schema.info import Info
from windtunnel.domain import errors


@strawberry.type
class Payload:
    """What every mutation returns beside its result."""

    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why there is no result; empty when the mutation succeeded."
    )


class UserErrors(FieldExtension):
    """Answers a mutation's expected failure with a payload that holds it; lets everything else through.

    Forbidden, unauthenticated and unavailable stay top-level errors, as the schema's conventions say.
    """

    async def resolve_async(
        self, next_: Callable[..., Awaitable[object]], source: object, info: Info, **kwargs: Any
    ) -> object:
        """Run the mutation, on loaders that remember nothing from the mutation before it."""
        info.context.forget()
        try:
            return await next_(source, info, **kwargs)
        except errors.WindtunnelError as error:
            problems = error.problems if isinstance(error, errors.RefusedError) else [error]
            shown = [found for each in problems if (found := user_error(each, kwargs))]
            if not shown:
                raise
            return _payload_type(info)(errors=shown)


def user_error(error: errors.WindtunnelError, arguments: Mapping[str, object]) -> UserError | None:
    """`error` as data, None when it belongs at the top level. `arguments` are those that the client gave."""
    match error:
        case errors.ValidationError():
            return ValidationError.of(error)
        case errors.NotFoundError():
            path = error.path or _path_to(error.resource_id, arguments)
            return NotFoundError.of(error, path, _given_at(arguments, path or ()))
        case errors.ConflictError():
            return ConflictError.of(error)
        case errors.QuotaError():
            return QuotaError.of(error)
        case errors.PolicyError():
            return PolicyError.of(error)
        case _:
            return None


def _path_to(raw: str | None, arguments: Mapping[str, object]) -> tuple[str, ...] | None:
    """Where the client named the thing whose stored id is `raw`: operations know nothing of global ids."""
    for path, value in texts(arguments):
        named = decode(value)
        if named and named[1] == raw:
            return path
    return None


def _given_at(arguments: Mapping[str, object], wanted: tuple[str, ...]) -> str | None:
    """The text that the client gave there; None where there is none that could be sent back."""
    value = next((value for path, value in texts(arguments) if path == wanted), "")
    return None if not value or any("\ud800" <= char <= "\udfff" for char in value) else value


def _payload_type(info: Info) -> type[Payload]:
    payload = info.return_type
    if not (isinstance(payload, type) and issubclass(payload, Payload)):
        raise TypeError(f"{info.field_name} does not return a payload")
    return payload
