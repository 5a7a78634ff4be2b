"""Execution of long subscriptions in bounded memory."""

from typing import Any

from graphql.execution.executor import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class PerEventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Forgets each event of a subscription once it is executed.

    graphql-core 3.3 shares its memory of collected fields among all events of a subscription, under keys that no two
    events have in common: without this, a stream of 100,000 events holds 140 MiB when it ends.
    """

    def build_per_event_executor(self, payload: Any) -> "Executor[Any]":
        """The executor of one event, with a memory of its own."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no other way in; a test holds it
        return executor
