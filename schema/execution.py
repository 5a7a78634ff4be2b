"""Execution of many long subscriptions: in bounded memory, and once for everybody who asked the same."""

from dataclasses import dataclass
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution.executor import Executor
from graphql.language import FieldNode, Node, OperationDefinitionNode, VariableNode, Visitor, visit
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.events import SimulationEvent
from windtunnel.storage.lru import LRU

RESULTS_KEPT = 2_048

Key = tuple[object, ...]


class PerEventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes each event of a subscription.

    A stored event never changes, so that its result depends only on the operation (by identity: the document cache
    gives equal texts one), on the variables below the root field, and on what the viewer may see. Followers that
    agree in these share one execution. Results with errors, and those that have to wait for data, are not shared.

    graphql-core 3.3 shares its memory of collected fields among all events of a subscription, under keys that no two
    events have in common: a stream of 100,000 events would hold 140 MiB when it ends. Here each event forgets.
    """

    recent: LRU[Key, "Known"] = LRU(RESULTS_KEPT)

    _group: Key | None = None
    key: Key | None = None

    def build_per_event_executor(self, payload: Any) -> "Executor[Any]":
        """The executor of one event, with a memory of its own; for a known event, one that has its result."""
        if self._group is None:
            self._group = self._grouped()
        key = (*self._group, payload.simulation_id, payload.seq) if isinstance(payload, SimulationEvent) else None
        if key and (known := self.recent.get(key)):
            return cast("Executor[Any]", known)
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no other way in; a test holds it
        cast("PerEventExecutor", executor).key = key
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The result of the operation, kept for others where it can be."""
        result = super().execute_operation(serially)
        if self.key and isinstance(result, ExecutionResult) and not result.errors:
            self.recent.put(self.key, Known(self.operation, result))
        return result

    def _grouped(self) -> Key:
        """What followers must have in common to share results, beside the event."""
        viewer = self.context_value.viewer if self.context_value else None
        scope = (viewer.tenant_id, viewer.roles) if viewer else None
        coerced = self.variable_values.coerced
        used = {name: coerced.get(name) for name in self._variables_below_the_root()}
        return (id(self.operation), scope, repr(sorted(used.items())))

    def _variables_below_the_root(self) -> set[str]:
        names = _Variables()
        for selection in self.operation.selection_set.selections:
            if isinstance(selection, FieldNode):  # its arguments choose the stream, not what an event looks like
                below: list[Node | None] = [selection.selection_set, *(selection.directives or ())]
            else:
                below = [selection]
            for node in [*below, *self.fragment_definitions.values()]:
                if node is not None:
                    visit(node, names)
        return names.found


@dataclass(frozen=True, slots=True)
class Known:
    """Executes nothing: it has the result. Holds its operation, which must live while its identity is part of a key."""

    operation: OperationDefinitionNode
    result: ExecutionResult

    def execute_operation(self, serially: bool | None = None) -> ExecutionResult:
        """The result."""
        del serially
        return self.result


class _Variables(Visitor):
    """Collects the names of all variables that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Remember one."""
        self.found.add(node.name.value)
