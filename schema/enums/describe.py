"""Enums of the domain, shown with a description of the whole and of each value."""

from collections.abc import Mapping
from enum import StrEnum

import strawberry
from strawberry.types.enum import has_enum_definition


def describe(enum: type[StrEnum], description: str, values: Mapping[str, str], name: str | None = None) -> None:
    """Show `enum` in the schema, as `name` when it differs; `values` describes every member, no more, no less."""
    if set(values) != set(enum.__members__):
        raise ValueError(f"{enum.__name__}: describe exactly {', '.join(enum.__members__)}")
    strawberry.enum(enum, name=name, description=description)
    if has_enum_definition(enum):
        for value in enum.__strawberry_definition__.values:
            value.description = values[value.name]
