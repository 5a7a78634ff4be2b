"""How many rows an operation may ask for, page sizes multiplying on the way down, and what it costs in points."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from app.graphql.limits import INTROSPECTION
from windtunnel.domain.policy import INTROSPECTION_POINTS, MUTATION_POINTS, PAGE_SIZE_DEFAULT

ENTRY_POINTS = 1
"""What every operation costs, before it is even read."""
PAGE_ARGUMENTS = ("first", "last")
LIST_ARGUMENTS = ("ids",)
WHOLE_LIST_ROWS = 20
"""What a list of entities without pages counts for, e.g. `webhooks`."""
PAGE_SIZE_MAX = 2**31 - 1
"""Variables are not coerced yet: this is the largest that an Int can be."""
FIELD_POINTS = {
    "Query.health": 5,
    "Query.production": 20,
    "Query.verifyAudit": 1_000,
    "Query.failureModeCatalogue": 20,
    "AgentPackage.manifest": 2,
    "AgentVersion.simulations": 20,
    "Architecture.failureModes": 5,
    "Architecture.render": 5,
    "Deployment.timeline": 10,
    "Environment.simulations": 10,
    "EnvironmentConfiguration.drift": 20,
    "EnvironmentConfiguration.matchesProduction": 5,
    "Experiment.result": 5,
    "Experiment.variantResult": 5,
    "Observability.logs": 10,
    "Observability.metrics": 20,
    "Observability.summary": 20,
    "Observability.traces": 20,
    "SecurityReview.queuePosition": 5,
    "SubmitDeploymentPayload.expectedReviewBy": 5,
    "Tenant.environmentUsage": 20,
    "Viewer.apiTokens": 480,
}
"""What a field costs on top of its rows, each time that it may be shown: those that read or compute much."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The most that a part of an operation can ask for, in rows and in points of the table above."""

    rows: int = 0
    points: int = 0

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(self.rows + other.rows, self.points + other.points)

    def times(self, size: int) -> "Weight":
        """So many rows, with this below each."""
        return Weight(size * (1 + self.rows), size * self.points)


class Cost:
    """Weighs one operation of a valid document with these variables, at the most that it can be."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = variables
        self._counted: dict[str, Weight] = {}

    def weight(self, operation: OperationDefinitionNode) -> Weight:
        """The whole operation; in rows, a page of 100 with a page of 100 in each is 10,100."""
        self._variables = {
            **{
                definition.variable.name.value: self._value(definition.default_value)
                for definition in operation.variable_definitions or ()
                if definition.default_value is not None
            },
            **self._variables,
        }
        return self._below(operation.selection_set, self._schema.get_root_type(operation.operation))

    def points(self, operation: OperationDefinitionNode, weight: Weight) -> int:
        """What an operation of this weight costs: more for each change, and for showing the whole schema."""
        roots = list(self._roots(operation.selection_set))
        introspections = sum(name in INTROSPECTION for name in roots)
        writes = len(roots) * MUTATION_POINTS if operation.operation is OperationType.MUTATION else ENTRY_POINTS
        return writes + introspections * INTROSPECTION_POINTS + weight.rows + weight.points

    def _roots(self, selections: SelectionSetNode) -> Iterator[str]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, InlineFragmentNode):
                yield from self._roots(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._roots(self._fragments[node.name.value].selection_set)

    def _below(self, selections: SelectionSetNode | None, parent: Any) -> Weight:
        weight = Weight()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                weight += self._field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                of = self._schema.get_type(condition.name.value) if condition else parent
                weight += self._below(node.selection_set, of)
            elif isinstance(node, FragmentSpreadNode):
                weight += self._fragment(node.name.value)
        return weight

    def _fragment(self, name: str) -> Weight:
        if name not in self._counted:
            fragment = self._fragments[name]
            self._counted[name] = self._below(
                fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value)
            )
        return self._counted[name]

    def _field(self, node: FieldNode, parent: Any) -> Weight:
        known = isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        field = parent.fields.get(node.name.value) if known else None
        if field is None:  # introspection, which is small
            return Weight()
        weight = self._below(node.selection_set, get_named_type(field.type))
        size = self._size(node, field)
        if size is None and _is_whole_list(field, parent):
            size = WHOLE_LIST_ROWS
        own = Weight(points=FIELD_POINTS.get(f"{parent.name}.{node.name.value}", 0))
        return own + (weight if size is None else weight.times(size))

    def _size(self, node: FieldNode, field: GraphQLField) -> int | None:
        """How many rows the field is asked for; None when it has no pages."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in LIST_ARGUMENTS:
            if name in field.args:
                ids = self._value(given.get(name))
                return len(ids) if isinstance(ids, list) else 1
        sized = [name for name in PAGE_ARGUMENTS if name in field.args]
        if not sized:
            return None
        default = field.args[sized[0]].default_value
        sizes = [int(size) for name in sized if isinstance(size := self._value(given.get(name)), int | float)]
        if not sizes:
            return default if isinstance(default, int) else PAGE_SIZE_DEFAULT
        # A size that is none is refused when it runs; until then it must not make up for others. To look whether there
        # is anything, or to count it, is as much work as a row.
        return min(max(1, *sizes), PAGE_SIZE_MAX)

    def _value(self, node: ValueNode | None) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value)  # the guard has let no long one pass
        return list(node.values) if isinstance(node, ListValueNode) else None


def _is_whole_list(field: GraphQLField, parent: GraphQLObjectType | GraphQLInterfaceType) -> bool:
    """Whether it lists entities without pages; the items of a page were counted with it."""
    of = get_nullable_type(field.type)
    entity = get_named_type(field.type)
    return (
        isinstance(of, GraphQLList)
        and isinstance(entity, GraphQLObjectType)
        and any(interface.name == "Node" for interface in entity.interfaces)
        and not any(interface.name == "Connection" for interface in parent.interfaces)
    )
