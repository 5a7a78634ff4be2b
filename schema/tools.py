"""Tools: what agents execute."""

from typing import Self

import strawberry

from windtunnel.domain import architectures as domain
from windtunnel.domain.architectures import DataSensitivity, ToolCategory


@strawberry.type(description="Something agents execute: a function, an API, a data store.")
class Tool:
    """Shows `architectures.Tool`."""

    key: str = strawberry.field(description="Stable key inside this architecture.")
    kind: str = strawberry.field(description="Id in the tool catalogue, e.g. crm, payments.")
    name: str = strawberry.field(description="What to call it.")
    purpose: str = strawberry.field(description="What it is used for here.")
    category: ToolCategory = strawberry.field(description="Its family.")
    side_effects: bool = strawberry.field(description="Whether it changes anything outside.")
    data_sensitivity: DataSensitivity = strawberry.field(description="How sensitive the data is that it touches.")
    used_by: list[str] = strawberry.field(description="Keys of the agents that use it.")

    @classmethod
    def of(cls, tool: domain.Tool) -> Self:
        """The tool as data."""
        return cls(
            key=tool.key,
            kind=tool.kind,
            name=tool.name,
            purpose=tool.purpose,
            category=tool.category,
            side_effects=tool.side_effects,
            data_sensitivity=tool.data_sensitivity,
            used_by=list(tool.used_by),
        )
