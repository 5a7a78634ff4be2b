"""Who may use a field: printed as `@requires`, and enforced, from the one table of permissions."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField
from strawberry.utils.await_maybe import await_maybe

from resolvers import viewers
from schema.arguments import aimed_at
from schema.info import Info
from windtunnel.domain.permissions import ALLOWED, Action
from windtunnel.domain.viewers import Role


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requires",
    description="Who may use a field. Enforced by the server; shown here so clients can hide what they cannot do.",
)
class RequiresDirective:
    """Prints as `@requires(anyOf: [...])`."""

    any_of: list[Role]


class Requires(FieldExtension):
    """Lets only viewers pass whose roles allow `action`; everyone else gets a top-level error."""

    def __init__(self, action: Action) -> None:
        self.action = action

    def apply(self, field: StrawberryField) -> None:
        """Show the roles in the schema, in the order in which Role lists them.

        In words, too: tools that show descriptions do not show directives of fields.
        """
        any_of = [role for role in Role if role in ALLOWED[self.action]]
        field.directives = [RequiresDirective(any_of=any_of)]
        if len(any_of) < len(Role):
            *others, last = any_of
            words = f" For {', '.join(others)}{' or ' if others else ''}{last}."
            field.description = f"{(field.description or '').removesuffix(words)}{words}"  # fields outlive a schema

    async def resolve_async(self, next_: Callable[..., object], source: object, info: Info, **kwargs: Any) -> object:
        """Check, then read the field, run the mutation or start the subscription.

        Operations check again: they are also called by other ways than through the schema.
        """
        await viewers.permit(info.context, self.action, aimed_at(kwargs))
        return await await_maybe(next_(source, info, **kwargs))
