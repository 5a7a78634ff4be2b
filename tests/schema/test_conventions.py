"""Conventions that hold for the whole schema, checked by walking it."""

from collections.abc import Iterator

import pytest
from graphql import (
    DirectiveNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    print_ast,
)

from schema.ids import Kind
from schema.printing import sdl
from windtunnel.domain.permissions import ALLOWED, ROUTES, Action
from windtunnel.domain.viewers import Role

SCHEMA = build_schema(sdl())
OBJECTS = [type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLObjectType)]
OWN_TYPES = [
    type_
    for name, type_ in SCHEMA.type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(type_)
]


def _undescribed(type_: GraphQLNamedType) -> Iterator[str]:
    if not type_.description:
        yield type_.name
    if isinstance(type_, GraphQLEnumType):
        yield from (f"{type_.name}.{name}" for name, value in type_.values.items() if not value.description)
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        yield from (f"{type_.name}.{name}" for name, field in type_.fields.items() if not field.description)
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            yield from (f"{type_.name}.{name}({a})" for a, arg in field.args.items() if not arg.description)


def test_everything_says_what_it_is() -> None:
    assert [name for type_ in OWN_TYPES for name in _undescribed(type_)] == []
    requires = SCHEMA.get_directive("requires")
    assert requires
    assert requires.description
    assert requires.args["anyOf"].description
    assert len(OWN_TYPES) > 60


def test_descriptions_are_sentences() -> None:
    described = [
        (f"{type_.name}.{name}", field.description or "")
        for type_ in OWN_TYPES
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        for name, field in type_.fields.items()
    ]
    assert [name for name, text in described if not text[0].isupper() and not text[0].isdigit()] == []
    assert [name for name, text in described if text[-1] not in ".:"] == []


def _roots() -> Iterator[tuple[str, GraphQLField]]:
    for root in (SCHEMA.mutation_type, SCHEMA.subscription_type):
        assert root is not None
        yield from root.fields.items()


def _requires(field: GraphQLField) -> list[DirectiveNode]:
    directives = (field.ast_node.directives or ()) if field.ast_node else ()
    return [directive for directive in directives if directive.name.value == "requires"]


def _restricted() -> Iterator[tuple[str, str, GraphQLField]]:
    """Fields outside of the verbs that only some roles may read, with the name of their type."""
    for type_ in OBJECTS:
        if type_ not in (SCHEMA.mutation_type, SCHEMA.subscription_type):
            yield from ((type_.name, name, field) for name, field in type_.fields.items() if _requires(field))


@pytest.mark.parametrize(("name", "field"), [*_roots(), *((name, field) for _, name, field in _restricted())], ids=str)
def test_every_verb_shows_who_may_use_it(name: str, field: GraphQLField) -> None:
    roles = ", ".join(role for role in Role if role in ALLOWED[Action(name)])
    assert [print_ast(directive) for directive in _requires(field)] == [f"@requires(anyOf: [{roles}])"]


def test_every_permission_has_its_verb_or_field() -> None:
    assert sorted([name for name, _ in _roots()] + [name for _, name, _ in _restricted()]) == sorted(
        set(Action) - ROUTES
    )


@pytest.mark.parametrize(("name", "field"), list(SCHEMA.mutation_type.fields.items() if SCHEMA.mutation_type else ()))
def test_a_mutation_takes_one_input_and_returns_a_payload(name: str, field: GraphQLField) -> None:
    title = name[0].upper() + name[1:]
    assert {argument: str(found.type) for argument, found in field.args.items()} == {"input": f"{title}Input!"}
    assert str(field.type) == f"{title}Payload!"
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    results = {key: str(found.type) for key, found in payload.fields.items() if key != "errors"}
    assert str(payload.fields["errors"].type) == "[UserError!]!"
    # A secret, and when to expect a decision, come beside what they belong to.
    assert len(results.keys() - {"secret", "expectedReviewBy"}) == 1
    # A count is known also when nothing was done.
    assert {key for key, type_ in results.items() if type_.endswith("!")} <= {"unread"}


def test_a_field_that_may_be_refused_is_nullable_outside_of_verbs() -> None:
    refusable = [(type_, name) for type_, name, field in _restricted() if isinstance(field.type, GraphQLNonNull)]
    assert refusable == []


def test_every_entity_is_a_node_and_has_a_kind() -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    entities = set(Kind) - {Kind.FEATURE_FLAG, Kind.PACKAGE}
    assert {type_.name for type_ in SCHEMA.get_possible_types(node)} == entities
    assert {type_.name for type_ in OBJECTS if "id" in type_.fields} == entities


def test_every_connection_is_whole() -> None:
    connections = [type_ for type_ in OBJECTS if type_.name.endswith("Connection")]
    for connection in connections:
        item = connection.name.removesuffix("Connection")
        assert {name: str(field.type) for name, field in connection.fields.items()} == {
            "pageInfo": "PageInfo!",
            "totalCount": "Int!",
            "edges": f"[{item}Edge!]!",
            "nodes": f"[{item}!]!",
        }
        assert [interface.name for interface in connection.interfaces] == ["Connection"]
    assert len(connections) >= 3


def _lists(type_: GraphQLType) -> Iterator[GraphQLType]:
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(inner, GraphQLList):
        yield inner.of_type
        yield from _lists(inner.of_type)


def test_lists_hold_no_nulls_but_for_nodes() -> None:
    holed = [
        f"{type_.name}.{name}"
        for type_ in OBJECTS
        if not type_.name.startswith("__")
        for name, field in type_.fields.items()
        for inner in _lists(field.type)
        if not isinstance(inner, GraphQLNonNull)
    ]
    assert holed == ["Query.nodes"]


def test_lookups_are_nullable_lists_are_not() -> None:
    assert SCHEMA.query_type is not None
    nullable = {name for name, field in SCHEMA.query_type.fields.items() if not isinstance(field.type, GraphQLNonNull)}
    assert nullable - {name for type_, name, _ in _restricted() if type_ == "Query"} == {
        "node",
        "scenario",
        "simulation",
        "architecture",
        "environment",
        "experiment",
        "agent",
        "deployment",
    }
