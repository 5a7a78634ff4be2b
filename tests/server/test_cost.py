"""Rows that an operation may ask for, and one field too often in one place."""

import pytest
from graphql import GraphQLObjectType, OperationDefinitionNode, parse
from strawberry.types import ExecutionResult

from app.graphql.cost import FIELD_POINTS, Cost
from app.graphql.guard import operation_guard
from app.metrics import Metrics
from resolvers.context import Context
from schema.root import build_schema
from windtunnel.operations.services import Services

NESTED = """query ($n: Int = 100, $ids: [ID!]! = []) {
  simulations(first: %s) { nodes { scenario { simulations(first: $n) { nodes { id } } } } } nodes(ids: $ids) { id } }"""


async def codes(document: str, **variables: object) -> list[str]:
    """Top-level error codes of an operation; one that is not refused finds no services."""
    schema = build_schema([operation_guard(Metrics())])
    services: Services = None  # type: ignore[assignment]
    result = await schema.execute(document, variables, Context(services, None, "test"))
    assert isinstance(result, ExecutionResult)
    return [str((error.extensions or {}).get("code")) for error in result.errors or ()]


def rows(document: str, **variables: object) -> int:
    cost, operation = of(document, variables)
    return cost.weight(operation).rows


def price(document: str) -> int:
    cost, operation = of(document, {})
    return cost.points(operation, cost.weight(operation))


def of(document: str, variables: dict[str, object]) -> tuple[Cost, OperationDefinitionNode]:
    parsed = parse(document)
    operation = parsed.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return Cost(build_schema()._schema, parsed, variables), operation


@pytest.mark.parametrize(
    "document",
    [
        "{ simulations(first: 100) { nodes { events(first: 1000) { events { seq } } } } }",
        """{ simulations(first: 100) { nodes { scenario { simulations(first: 100) { nodes { ...S } } } } } }
        fragment S on Simulation { scenario { simulations { totalCount } } }""",
        """{ a: scenarios(last: 100) { nodes { simulations(first: 100) { nodes { id } } } }
        b: scenarios(last: 100) { nodes { simulations(first: 100) { nodes { id } } } } }""",
        "{ " + "simulation(id: 1) { id } " * 26 + "}",
    ],
)
async def test_too_much_is_refused_before_it_is_looked_up(document: str) -> None:
    assert await codes(document) == ["QUERY_TOO_COMPLEX"]


async def test_a_subscription_is_measured_too() -> None:
    below = "architecture { scenario { simulations(first: 100) { nodes { scenario { simulations(first: 100) {"
    document = (
        f"... on ArchitecturePlannedEvent {{ {below} nodes {{ events(first: 9) {{ lastSeq }} }} }} }} }} }} }} }} }}"
    )
    schema = build_schema([operation_guard(Metrics())])
    services: Services = None  # type: ignore[assignment]
    results = await schema.stream(
        f'subscription {{ simulationEvents(simulationId: "x") {{ seq {document} }} }}',
        context_value=Context(services, None, "test"),
    )
    (refused,) = [result async for result in results]
    assert isinstance(refused, ExecutionResult)
    assert [error.extensions for error in refused.errors or ()] == [{"code": "QUERY_TOO_COMPLEX"}]


async def test_page_sizes_in_variables_count() -> None:
    assert rows(NESTED % "$n") == 100 * (1 + 100)
    assert rows(NESTED % 100, n=300) == 100 * (1 + 300)
    assert rows(NESTED % 3, n=2, ids=["a", "b"]) == 3 * (1 + 2) + 2
    assert rows(NESTED % 100, n=300.0) == 100 * (1 + 300)
    assert await codes(NESTED % 100, n=300) == ["QUERY_TOO_COMPLEX"]


def test_a_negative_page_makes_up_for_nothing() -> None:
    assert rows("{ a: simulations(first: -2147483648) { totalCount } b: simulations(first: 7) { totalCount } }") == 8
    assert rows("{ simulations(first: -5) { nodes { scenario { simulations(first: 100) { nodes { id } } } } } }") == 101
    assert rows("{ simulations(last: -5, first: -7) { nodes { id } } }") == 1


def test_looking_whether_there_is_anything_is_as_much_work_as_a_row() -> None:
    assert rows("{ a: simulations(first: 0) { totalCount } b: simulations(last: 0) { totalCount } }") == 2


def test_a_size_beyond_all_bounds_is_the_largest() -> None:
    assert rows("query ($n: Int) { simulations(first: $n) { totalCount } }", n=1e300) == 2**31 - 1


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ a: production { revision } b: production { revision } }", 1 + 2 * FIELD_POINTS["Query.production"]),
        ("{ a: verifyAudit { valid } ...V } fragment V on Query { b: verifyAudit { valid } }", 2_001),
        (
            """{ simulations(first: 100) { nodes { observability { traces { name } } architecture { ...A } } } }
            fragment A on Architecture { failureModes { key } }""",
            1 + 100 * (1 + FIELD_POINTS["Observability.traces"] + FIELD_POINTS["Architecture.failureModes"]),
        ),
        (
            """{ environments(first: 10) { nodes { configuration { drift { key } }
            simulations(first: 5) { totalCount } } } }""",
            1
            + 10 * (1 + 5)
            + 10 * (FIELD_POINTS["EnvironmentConfiguration.drift"] + FIELD_POINTS["Environment.simulations"]),
        ),
        ("{ node(id: 1) { ... on Simulation { observability { summary { events } } } } }", 21),
    ],
)
def test_what_reads_much_costs_more_each_time(document: str, points: int) -> None:
    assert price(document) == points


def test_prices_are_of_fields_that_there_are() -> None:
    schema = build_schema()._schema
    for coordinates in FIELD_POINTS:
        name, _, field = coordinates.partition(".")
        of = schema.get_type(name)
        assert isinstance(of, GraphQLObjectType)
        assert field in of.fields


@pytest.mark.parametrize(
    "document",
    [
        "{ node(id: %s) { id } }",
        "{ nodes(ids: [1, -%s]) { id } }",
        "{ scenarios(first: %s) { totalCount } }",
        "query ($n: Int = %s) { scenarios(first: $n) { totalCount } }",
        'mutation { simulate(input: {scenario: {text: "x"}, pace: %s}) { errors { code } } }',
        'mutation { simulate(input: {scenario: {text: "x"}, pace: 0.%s}) { errors { code } } }',
        "{ unknown(x: %s) }",
        "{ viewer { roles @include(if: %s) } }",
    ],
)
async def test_a_number_of_thousands_of_digits_is_refused_unread(document: str) -> None:
    assert await codes(document % ("9" * 5_000)) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("document", "most"),
    [
        ("{ simulations(first: 100) { nodes { scenario { title } events(first: 100) { events { seq } } } } }", 10_100),
        ("{ scenarios { nodes { simulations { nodes { id status } } } } }", 420),
        ("{ simulation(id: 1) { observability { logs { message } } } }", 100),
        ("{ __schema { types { fields { name } } } health { status } }", 0),
    ],
)
def test_what_clients_usually_ask_for_passes(document: str, most: int) -> None:
    assert rows(document) == most


async def test_lists_without_pages_count_too() -> None:
    assert rows("{ webhooks { id deliveries(first: 100) { nodes { id } } } }") == 20 * (1 + 100)
    assert rows("{ viewer { apiTokens { id } } scenarios(first: 7) { nodes { id } edges { node { id } } } }") == 20 + 7
