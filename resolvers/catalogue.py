"""Reading the failure-mode catalogue."""

from resolvers.context import Context
from windtunnel.domain.failures import FailureCategory, FailureModeDefinition


def failure_modes(context: Context, category: FailureCategory | None) -> list[FailureModeDefinition]:
    """Every entry, or those of one category, in the order of the book."""
    context.signed_in()
    return [
        definition
        for definition in context.services.book.definitions.values()
        if category is None or definition.category is category
    ]
