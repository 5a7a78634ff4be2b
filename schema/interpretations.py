"""Interpretations: what was understood of a scenario's words."""

from typing import Self

import strawberry

from windtunnel.domain import interpretations as understood


@strawberry.type(description="What the Scenario Interpreter understood.")
class Interpretation:
    """Shows `interpretations.Interpretation`."""

    goal: str = strawberry.field(description="What is to be reached.")
    domain: str = strawberry.field(description="The field of work.")
    actors: list[str] = strawberry.field(description="Who takes part: people and systems.")
    inputs: list[str] = strawberry.field(description="What comes in.")
    outputs: list[str] = strawberry.field(description="What goes out.")
    constraints: list[str] = strawberry.field(description="What must be kept to.")
    assumptions: list[str] = strawberry.field(description="What was taken for granted.")
    confidence: float = strawberry.field(description="How sure the interpreter is, 0 to 1.")

    @classmethod
    def of(cls, interpretation: understood.Interpretation) -> Self:
        """The interpretation as data."""
        return cls(
            goal=interpretation.goal,
            domain=interpretation.domain,
            actors=list(interpretation.actors),
            inputs=list(interpretation.inputs),
            outputs=list(interpretation.outputs),
            constraints=list(interpretation.constraints),
            assumptions=list(interpretation.assumptions),
            confidence=interpretation.confidence,
        )
