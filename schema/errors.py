"""Expected failures as data: the error tree of the domain, shown to clients."""

from typing import Self

import strawberry

from windtunnel.domain import errors
from windtunnel.domain.errors import ErrorCode


@strawberry.interface(description="An expected failure of a mutation, safe to show to a person.")
class UserError:
    """What every expected failure tells."""

    code: ErrorCode = strawberry.field(description="What kind of failure, for programs.")
    message: str = strawberry.field(description="What went wrong and what to do next, for people.")
    path: list[str] | None = strawberry.field(
        description='Path into the arguments, e.g. ["input", "text"]; null when no single input is to blame.'
    )


@strawberry.type(description="An input value was refused.")
class ValidationError(UserError):
    """Shows `errors.ValidationError`."""

    rule: str = strawberry.field(description="Rule that failed, e.g. string_too_long.")

    @classmethod
    def of(cls, error: errors.ValidationError) -> Self:
        """The failure as data."""
        return cls(code=error.code, message=error.message, path=camel_path(error.path), rule=error.rule)


@strawberry.type(description="The thing named by an id does not exist, or is not yours.")
class NotFoundError(UserError):
    """Shows `errors.NotFoundError`."""

    resource_id: strawberry.ID | None = strawberry.field(description="The id that was given.")

    @classmethod
    def of(cls, error: errors.NotFoundError, path: tuple[str, ...] | None, resource_id: str | None) -> Self:
        """The failure as data; `resource_id` is what the client gave, at `path`."""
        return cls(
            code=error.code,
            message=error.message,
            path=camel_path(path),
            resource_id=None if resource_id is None else strawberry.ID(resource_id),
        )


@strawberry.type(description="The thing is in a state that does not allow this.")
class ConflictError(UserError):
    """Shows `errors.ConflictError`."""

    current: str = strawberry.field(description="The state that it is in.")
    allowed: list[str] = strawberry.field(description="The states that would allow it.")

    @classmethod
    def of(cls, error: errors.ConflictError) -> Self:
        """The failure as data."""
        return cls(
            code=error.code,
            message=error.message,
            path=camel_path(error.path),
            current=error.current,
            allowed=list(error.allowed),
        )


@strawberry.type(description="A quota is used up (environments, complexity, versions).")
class QuotaError(UserError):
    """Shows `errors.QuotaError`."""

    limit: int = strawberry.field(description="How many there may be.")
    used: int = strawberry.field(description="How many there are.")

    @classmethod
    def of(cls, error: errors.QuotaError) -> Self:
        """The failure as data."""
        return cls(
            code=error.code, message=error.message, path=camel_path(error.path), limit=error.limit, used=error.used
        )


@strawberry.type(description="A rule of the pipeline forbids this, e.g. reviewing one's own submission.")
class PolicyError(UserError):
    """Shows `errors.PolicyError`."""

    policy: str = strawberry.field(description="Name of the rule.")

    @classmethod
    def of(cls, error: errors.PolicyError) -> Self:
        """The failure as data."""
        return cls(code=error.code, message=error.message, path=camel_path(error.path), policy=error.policy)


USER_ERRORS = (ValidationError, NotFoundError, ConflictError, QuotaError, PolicyError)
"""Every implementation of UserError."""


_JSON = frozenset({"overrides", "variant"})
"""The inputs that are JSON."""


def camel_path(path: tuple[str, ...] | None) -> list[str] | None:
    """The path in the client's spelling: `("input", "scenario_id")` is `["input", "scenarioId"]`.

    Within JSON, whose names are the client's own, every word stays as it is.
    """
    if path is None:
        return None
    inner = next((place + 1 for place, word in enumerate(path) if word in _JSON), len(path))
    return [_camel(word) for word in path[:inner]] + list(path[inner:])


def _camel(word: str) -> str:
    head, *tail = word.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
