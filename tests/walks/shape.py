"""What the printed schema offers: its root fields, the places that take an id, the fields that need a role."""

import dataclasses
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    ListValueNode,
    build_schema,
    get_named_type,
    is_required_argument,
)
from graphql.language import EnumValueNode

from schema.printing import sdl
from windtunnel.domain.viewers import Role

SCHEMA = build_schema(sdl())
KINDS_OF_NODES = frozenset(
    type_.name
    for type_ in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])  # type: ignore[arg-type]
)


@dataclass(frozen=True)
class Entry:
    """A way in: a field, with those that lead to it from the root (none of which needs an argument)."""

    operation: str
    path: tuple[str, ...]
    field: GraphQLField = dataclasses.field(compare=False)

    @property
    def name(self) -> str:
        return self.path[-1]

    def __str__(self) -> str:
        return f"{self.operation} {'.'.join(self.path)}"


@dataclass(frozen=True)
class Slot:
    """A place in the arguments of a root field that takes an id, or a list of them."""

    entry: Entry
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.entry}({'.'.join(self.path)})"


def root_entries() -> list[Entry]:
    """Every field of the three roots."""
    return [
        Entry(operation, (name,), field)
        for operation, root in (
            ("query", SCHEMA.query_type),
            ("mutation", SCHEMA.mutation_type),
            ("subscription", SCHEMA.subscription_type),
        )
        for name, field in (root.fields.items() if root else ())
    ]


def slots(names: Collection[str] = ()) -> list[Slot]:
    """Every place that takes an id, nested inputs and filters included; with `names`, those of these names instead."""
    return [
        Slot(entry, path)
        for entry in root_entries()
        for name, argument in entry.field.args.items()
        for path in _paths(argument.type, (name,), frozenset(), names)
    ]


def ids_below_the_roots() -> list[str]:
    """Fields of other types that take an id: a walk over root fields alone would not cover them."""
    roots = {SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type}
    return [
        f"{type_.name}.{name}({argument})"
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and type_ not in roots
        for name, field in type_.fields.items()
        for argument, found in field.args.items()
        if any(_paths(found.type, (argument,), frozenset()))
    ]


def required_roles(field: GraphQLField) -> frozenset[Role] | None:
    """The roles of the printed `@requires`; None when the field has none."""
    for directive in (field.ast_node.directives if field.ast_node else None) or ():
        if directive.name.value == "requires":
            (argument,) = directive.arguments or ()
            assert isinstance(argument.value, ListValueNode)
            values = [value.value for value in argument.value.values if isinstance(value, EnumValueNode)]
            return frozenset(Role(value) for value in values)
    return None


def restricted_entries() -> list[Entry]:
    """Every field of the schema that shows `@requires`, with a way to it."""
    entries = [entry for entry in root_entries() if required_roles(entry.field) is not None]
    roots = {SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type}
    ways = _ways_without_arguments()
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_ not in roots:
            for name, field in type_.fields.items():
                if required_roles(field) is not None:
                    assert type_.name in ways, f"no field without arguments leads to {type_.name}.{name}: teach `shape`"
                    entries.append(Entry("query", (*ways[type_.name], name), field))
    return entries


def audiences() -> dict[str, frozenset[Role | None]]:
    """By type, the roles that let somebody come to it from a root, None for who has no role.

    Fields of type Node are no way: they look up whatever an id names, and must keep to what is said here.
    """
    anyone = frozenset[Role | None]({None, *Role})
    seen = dict.fromkeys(SCHEMA.type_map, frozenset[Role | None]())
    ahead = deque(root for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if root)
    seen |= {root.name: anyone for root in ahead}
    while ahead:
        type_ = ahead.popleft()
        for found in type_.fields.values():
            needed = required_roles(found)
            audience = seen[type_.name] & (anyone if needed is None else needed)
            for inner in _leads_to(found):
                if not audience <= seen[inner.name]:
                    seen[inner.name] |= audience
                    ahead.append(inner)
    return seen


def _leads_to(found: GraphQLField) -> Sequence[GraphQLObjectType]:
    inner = get_named_type(found.type)
    if isinstance(inner, GraphQLObjectType):
        return [inner]
    if isinstance(inner, GraphQLInterfaceType) and inner.name != "Node":
        return SCHEMA.get_possible_types(inner)
    return []


def _ways_without_arguments() -> dict[str, tuple[str, ...]]:
    """The shortest way from the query root to each object type, over fields that need no argument and no role."""
    assert SCHEMA.query_type
    ways: dict[str, tuple[str, ...]] = {SCHEMA.query_type.name: ()}
    ahead = deque([SCHEMA.query_type])
    while ahead:
        type_ = ahead.popleft()
        for name, field in type_.fields.items():
            inner = get_named_type(field.type)
            open_to_all = required_roles(field) is None and not any(map(is_required_argument, field.args.values()))
            if open_to_all and isinstance(inner, GraphQLObjectType) and inner.name not in ways:
                ways[inner.name] = (*ways[type_.name], name)
                ahead.append(inner)
    return ways


def _paths(
    type_: GraphQLInputType, path: tuple[str, ...], seen: frozenset[str], names: Collection[str] = ()
) -> Iterator[tuple[str, ...]]:
    """The ways to the ids in a type; with `names`, to what is called so."""
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    if isinstance(type_, GraphQLInputObjectType) and type_.name not in seen:
        for name, field in type_.fields.items():
            yield from _paths(field.type, (*path, name), seen | {type_.name}, names)
    elif path[-1] in names if names else getattr(type_, "name", None) == "ID":
        yield path
