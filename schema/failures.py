"""Failure modes in general: the catalogue, and the words for how bad and how likely."""

from typing import Self

import strawberry

from windtunnel.domain import failures as domain
from windtunnel.domain.failures import FailureCategory


@strawberry.type(description="An entry of the failure-mode catalogue: what can go wrong, with its source.")
class FailureModeDefinition:
    """Shows `failures.FailureModeDefinition`."""

    code: str = strawberry.field(description="Its stable name, e.g. to inject it.")
    title: str = strawberry.field(description="What to call it.")
    category: FailureCategory = strawberry.field(description="Where it comes from.")
    description: str = strawberry.field(description="What happens.")
    source: str = strawberry.field(description="Where it is documented.")
    signals: list[str] = strawberry.field(description="How to notice it.")
    mitigations: list[str] = strawberry.field(description="What helps against it.")

    @classmethod
    def of(cls, definition: domain.FailureModeDefinition) -> Self:
        """The entry as data."""
        return cls(
            code=definition.code,
            title=definition.title,
            category=definition.category,
            description=definition.description,
            source=definition.source,
            signals=list(definition.signals),
            mitigations=list(definition.mitigations),
        )
