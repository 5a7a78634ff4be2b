"""How many rows an operation may ask for, page sizes multiplying on the way down, and what it costs in points."""

from collections.abc import Iterator, Mapping
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


class Cost:
    """Counts the rows of one operation of a valid document with these variables, at the most that they can be."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = variables
        self._counted: dict[str, int] = {}

    def rows(self, operation: OperationDefinitionNode) -> int:
        """Rows of the whole operation: a page of 100 with a page of 100 in each is 10,100."""
        self._variables = {
            **{
                definition.variable.name.value: self._value(definition.default_value)
                for definition in operation.variable_definitions or ()
                if definition.default_value is not None
            },
            **self._variables,
        }
        return self._below(operation.selection_set, self._schema.get_root_type(operation.operation))

    def points(self, operation: OperationDefinitionNode, rows: int) -> int:
        """What an operation of so many rows costs: more for each change, and for showing the whole schema."""
        roots = list(self._roots(operation.selection_set))
        introspections = sum(name in INTROSPECTION for name in roots)
        writes = len(roots) * MUTATION_POINTS if operation.operation is OperationType.MUTATION else ENTRY_POINTS
        return writes + introspections * INTROSPECTION_POINTS + rows

    def _roots(self, selections: SelectionSetNode) -> Iterator[str]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, InlineFragmentNode):
                yield from self._roots(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._roots(self._fragments[node.name.value].selection_set)

    def _below(self, selections: SelectionSetNode | None, parent: Any) -> int:
        rows = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                rows += self._field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                of = self._schema.get_type(condition.name.value) if condition else parent
                rows += self._below(node.selection_set, of)
            elif isinstance(node, FragmentSpreadNode):
                rows += self._fragment(node.name.value)
        return rows

    def _fragment(self, name: str) -> int:
        if name not in self._counted:
            fragment = self._fragments[name]
            self._counted[name] = self._below(
                fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value)
            )
        return self._counted[name]

    def _field(self, node: FieldNode, parent: Any) -> int:
        known = isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        field = parent.fields.get(node.name.value) if known else None
        if field is None:  # introspection, which is small
            return 0
        below = self._below(node.selection_set, get_named_type(field.type))
        size = self._size(node, field)
        if size is None and _is_whole_list(field, parent):
            size = WHOLE_LIST_ROWS
        return below if size is None else size * (1 + below)

    def _size(self, node: FieldNode, field: GraphQLField) -> int | None:
        """How many rows the field is asked for; None when it has no pages."""
        given = {argument.name.value: self._value(argument.value) for argument in node.arguments or ()}
        for name in LIST_ARGUMENTS:
            if name in field.args:
                return len(given[name]) if isinstance(given.get(name), list) else 1
        sized = [name for name in PAGE_ARGUMENTS if name in field.args]
        if not sized:
            return None
        default = field.args[sized[0]].default_value
        sizes = [int(given[name]) for name in sized if isinstance(given.get(name), int | float)]  # 1e2 is a number, too
        # A negative size is refused when it runs; until then it must not make up for others.
        return max(0, *sizes) if sizes else default if isinstance(default, int) else PAGE_SIZE_DEFAULT

    def _value(self, node: ValueNode) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value)
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
