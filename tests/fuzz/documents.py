"""A document for every field of the three roots, and variables for it: right ones, and in places odd ones."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.processes import ROOT

ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers(), max_size=2)
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Int": st.integers(-3, 300) | st.integers(-(2**31), 2**31 - 1),
    "Float": st.floats() | st.integers(-3, 300),
    "String": st.text(max_size=60),
    "Boolean": st.booleans(),
    "DateTime": st.datetimes().map(lambda at: at.isoformat() + "Z"),
    "Duration": st.sampled_from(["PT1S", "PT25H", "P1Y2M", "-PT1S", "P99999999D", "PT0.001S"]),
    "JSON": st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
}


def operations(ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Requests for one field each, whatever the schema has."""
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    return st.one_of(
        *(
            st.builds(dict, query=st.just(_document(kind, name, field)), variables=_variables(schema, field, ids))
            for kind, root in roots.items()
            if root is not None
            for name, field in root.fields.items()
        )
    )


def _document(kind: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${argument}: {of.type}" for argument, of in field.args.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    fields = "" if is_leaf_type(get_named_type(field.type)) else _selection(get_named_type(field.type), 3)
    return f"{kind}{f'({declared})' if declared else ''} {{ {name}{f'({given})' if given else ''} {fields} }}"


def _selection(of: Any, depth: int) -> str:
    """Fields that need no arguments, some levels down."""
    names = ["__typename"]
    for name, field in getattr(of, "fields", {}).items():
        below = get_named_type(field.type)
        if any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
            continue
        if is_leaf_type(below):
            names.append(name)
        elif depth > 1:
            names.append(f"{name}{'(first: 3)' if 'first' in field.args else ''} {_selection(below, depth - 1)}")
    return f"{{ {' '.join(names)} }}"


def _variables(schema: GraphQLSchema, field: GraphQLField, ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: _values(argument.type, ids, 3) for name, argument in field.args.items()})


def _values(of: GraphQLInputType, ids: list[str], depth: int) -> st.SearchStrategy[Any]:
    """Values of a type; one of a few does not fit."""
    if isinstance(of, GraphQLNonNull):
        return _values(of.of_type, ids, depth)
    if isinstance(of, GraphQLList):
        right: st.SearchStrategy[Any] = st.lists(_values(of.of_type, ids, depth), max_size=3)
    elif isinstance(of, GraphQLEnumType):
        right = st.sampled_from(list(of.values))
    elif isinstance(of, GraphQLInputObjectType):
        if not depth:
            return st.none()
        fields = {name: _values(field.type, ids, depth - 1) for name, field in of.fields.items()}
        needed = {name for name, field in of.fields.items() if isinstance(field.type, GraphQLNonNull)}
        right = st.fixed_dictionaries(
            {name: values for name, values in fields.items() if name in needed},
            optional={name: values for name, values in fields.items() if name not in needed},
        )
    elif of.name == "ID":
        right = st.sampled_from(ids) | st.text(max_size=30)
    else:
        right = SCALARS[of.name]
    return st.integers(0, 15).flatmap(lambda luck: right if luck else ODD)
