"""Selections that ask for everything a type offers, made from the schema itself."""

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from schema.printing import sdl

SCHEMA: GraphQLSchema = build_schema(sdl())
REQUIRED = {"render": "format: MERMAID"}


def everything(type_name: str, levels: int) -> str:
    """A selection set of every field of the type, and of what they lead to, `levels` types deep."""
    type_ = SCHEMA.type_map[type_name]
    if isinstance(type_, GraphQLInterfaceType):
        parts = [_fields(type_, levels)]
        for concrete in SCHEMA.get_possible_types(type_):
            own = {name: field for name, field in concrete.fields.items() if name not in type_.fields}
            # Aliases, because two implementations may give one name different types.
            parts.append(f"... on {concrete.name} {{ {_select(own, levels, concrete.name)} }}")
        return "{ __typename " + " ".join(parts) + " }"
    assert isinstance(type_, GraphQLObjectType)
    return "{ __typename " + _fields(type_, levels) + " }"


def _fields(type_: GraphQLObjectType | GraphQLInterfaceType, levels: int) -> str:
    return _select(type_.fields, levels)


def _select(fields: dict[str, GraphQLField], levels: int, alias: str | None = None) -> str:
    selected = []
    for name, field in fields.items():
        missing = [argument for argument, found in field.args.items() if is_required_argument(found)]
        call = f"{name}({REQUIRED[name]})" if missing else name
        if alias:
            call = f"{alias}_{name}: {call}"
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            selected.append(call)
        elif levels > 1:
            selected.append(f"{call} {everything(inner.name, levels - 1)}")
    return " ".join(selected) or "__typename"
