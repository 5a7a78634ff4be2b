"""Errors of graphql-core say what is wrong and where, and not what was sent."""

from typing import Any

import pytest

from app.graphql.guard import operation_guard
from app.metrics import Metrics
from resolvers.context import Context
from schema.root import build_schema
from windtunnel.operations.services import Services

SENT = "hunter2"
ENTRY = "mutation ($input: ConfigureProductionInput!) { configureProduction(input: $input) { errors { code } } }"
LITERAL = "mutation { configureProduction(input: {set: [{key: %s, value: %s, secret: %s}]}) { errors { code } } }"
UNKNOWN = "Expected value of type 'ConfigurationEntryInput' not to include unknown field"
FIRST = "Variable '$input' has invalid value at .set[0]"


async def messages(document: str, given: Any = None) -> list[str]:
    """What a client is told; nothing is executed."""
    schema = build_schema([operation_guard(Metrics())])
    services: Services = None  # type: ignore[assignment]
    result = await schema.execute(document, {"input": given}, Context(services, None, "test"))
    return [error.message for error in result.errors or ()]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"set": [{"value": SENT}]},
            f"{FIRST}: Expected value of type 'ConfigurationEntryInput' to include required field 'key'.",
        ),
        ({"set": [{"key": "A", "value": SENT, "extra": 1}]}, f"{FIRST}: {UNKNOWN} 'extra'."),
        ({"set": [{"key": "A", "value": "", "valu": SENT}]}, f"{FIRST}: {UNKNOWN} 'valu'. Did you mean 'value'?"),
        ({"set": [{"key": "A", "value": [SENT]}]}, f"{FIRST}.value: String cannot represent a non string value."),
        (
            {"set": [{"key": "A", "value": "", "secret": SENT}]},
            f"{FIRST}.secret: Boolean cannot represent a non boolean value.",
        ),
        (
            SENT,
            "Variable '$input' has invalid value: Expected value of type 'ConfigureProductionInput' to be an object.",
        ),
    ],
)
async def test_a_variable_is_not_repeated(given: Any, told: str) -> None:
    assert await messages(ENTRY, given) == [told]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (LITERAL % ('"A"', f'["{SENT}"]', "true"), "String cannot represent a non string value."),
        (LITERAL % ('"A"', SENT, "true"), "String cannot represent a non string value."),
        (LITERAL % ('"A"', '""', f'"{SENT}"'), "Boolean cannot represent a non boolean value."),
        (LITERAL % ('"A"', f'"{SENT}" "{SENT}"', "true"), "Syntax Error: Expected Name, found String."),
        (LITERAL % ('"A"', f'"" """{SENT}"""', "true"), "Syntax Error: Expected Name, found BlockString."),
        (LITERAL % ('"A"', "12345 67890", "true"), "Syntax Error: Expected Name, found Int."),
        ("{ production(after: 4.5 6.7) }", "Syntax Error: Expected Name, found Float."),
    ],
)
async def test_a_literal_is_not_repeated(document: str, told: str) -> None:
    assert await messages(document) == [told]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{ produktion { revision } }", "Cannot query field 'produktion' on type 'Query'. Did you mean 'production'?"),
        ("{ production { revision } ", "Syntax Error: Expected Name, found <EOF>."),
        ("{ production ) }", "Syntax Error: Expected Name, found ')'."),
        (
            "{ failureModeCatalogue(category: WEATHER) { code } }",
            "Value 'WEATHER' does not exist in 'FailureCategory' enum.",
        ),
    ],
)
async def test_everything_else_is_still_said(document: str, told: str) -> None:
    assert await messages(document) == [told]
