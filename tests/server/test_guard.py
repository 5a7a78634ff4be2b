"""Sizes, the document cache and what clients see of errors: without a server."""

import re
from typing import Any

import pytest
import strawberry
import strawberry.schema.schema as strawberry_schema
from graphql import DocumentNode, GraphQLError, parse
from strawberry.dataloader import DataLoader
from structlog.testing import capture_logs

from app.graphql.documents import DocumentCache
from app.graphql.guard import operation_guard
from app.graphql.limits import Limits, over_limits
from app.graphql.masking import public_errors
from app.graphql.operations import Caller
from app.metrics import Metrics
from tests.server.world import SECRET, Context, Query, World
from windtunnel.domain.errors import ErrorCode, QuotaError


def broken(document: str, **limits: int) -> list[str]:
    words = "The operation's (.*) is over the limit of "
    found = (re.match(words, error.message) for error in over_limits(parse(document), Limits(**limits)))
    return [match[1] for match in found if match]


def test_depth_counts_fields_through_fragments() -> None:
    nested = "{ a { ...F } } fragment F on T { b { ... { c { d } } } }"
    assert broken(nested, depth=4) == []
    assert broken(nested, depth=3) == ["depth"]


def test_fields_and_aliases_are_summed_with_fragments_spread() -> None:
    spread = "{ ...F ...F x: a } fragment F on T { p: b q: c }"
    assert broken(spread, fields=5, aliases=5) == []
    assert broken(spread, fields=4, aliases=4) == [
        "number of fields",
        "number of aliases",
    ]


def test_every_operation_of_a_document_is_measured() -> None:
    assert len(broken("query A { a { b } } query B { a { b } }", depth=1)) == 2


def test_fragments_that_spread_each_other_end() -> None:
    assert broken("{ ...A } fragment A on T { a ...B } fragment B on T { b ...A ...Unknown }", fields=2) == []


def test_a_fragment_bomb_is_measured_at_once() -> None:
    bomb = "{ ...F0 } " + " ".join(f"fragment F{n} on T {{ ...F{n + 1} ...F{n + 1} }}" for n in range(200))
    assert broken(bomb + " fragment F200 on T { a }") == ["number of fields"]


def test_introspection_has_a_depth_of_its_own() -> None:
    introspection = "{ a { b } __schema { types { fields { type { name } } } } }"
    assert broken(introspection, depth=2, introspection_depth=5) == []
    assert broken(introspection, depth=2, introspection_depth=4) == ["depth of introspection"]


def test_the_schema_is_not_read_over_and_over_in_one_operation() -> None:
    again = "{ ...F ...F __schema { x { y } } } fragment F on Query { a: __schema { x } b: __type(name: 1) { y } }"
    assert broken(again, introspections=5) == []
    assert broken(again, introspections=4) == ["number of introspections"]


def test_the_cache_keeps_what_was_used_last() -> None:
    cache = DocumentCache(most_documents=2)
    document = parse("{ a }")
    for text in ("a", "b"):
        cache.put(text, document)
    assert cache.get("a") is document
    cache.put("c", document)
    assert [cache.get(text) is document for text in ("a", "b", "c")] == [True, False, True]


def test_the_cache_is_bounded_by_characters_and_takes_no_giants() -> None:
    cache = DocumentCache(most_characters=1600)
    document = parse("{ a }")
    cache.put("x" * 101, document)
    assert len(cache) == 0
    for number in range(100):
        cache.put(f"{number:0100}", document)
    assert len(cache) == 16


@pytest.fixture
def schema() -> strawberry.Schema:
    return strawberry.Schema(Query, extensions=[operation_guard(Metrics())])


@pytest.fixture
def context() -> Context:
    async def load(keys: list[str]) -> list[int]:
        return [0 for _ in keys]

    return Context(World(), Caller(None, "request-1"), DataLoader(load_fn=load))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are really parsed."""
    texts: list[str] = []

    def counted(text: str, **options: Any) -> DocumentNode:
        texts.append(text)
        return parse(text, **options)

    monkeypatch.setattr(strawberry_schema, "parse", counted)
    return texts


async def test_a_valid_document_is_parsed_once_and_an_invalid_one_each_time(
    schema: strawberry.Schema, context: Context, parsed: list[str]
) -> None:
    for _ in range(3):
        assert (await schema.execute("{ hello }", context_value=context)).data == {"hello": "hello world"}
    assert parsed == ["{ hello }"]
    for _ in range(2):
        result = await schema.execute("{ nothing }", context_value=context)
        assert result.errors is not None
        assert result.errors[0].extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert parsed[1:] == ["{ nothing }"] * 2


async def test_a_defect_is_logged_once_with_its_request_id(schema: strawberry.Schema, context: Context) -> None:
    with capture_logs() as logs:
        result = await schema.execute("{ broken }", context_value=context)
    assert result.errors is not None
    assert result.errors[0].message == "Internal server error."
    assert SECRET not in str(result.errors[0].formatted)
    assert [(entry["request_id"], entry["path"], str(entry["exc_info"])) for entry in logs] == [
        ("request-1", ["broken"], SECRET)
    ]


async def test_an_expected_failure_is_not_logged(schema: strawberry.Schema, context: Context) -> None:
    with capture_logs() as logs:
        await schema.execute("{ missing }", context_value=context)
    assert logs == []


def test_making_errors_public_twice_changes_nothing() -> None:
    defect = GraphQLError("x", path=["a"], original_error=RuntimeError(SECRET))
    expected = GraphQLError("y", path=["b"], original_error=QuotaError("Full.", limit=1, used=1))
    with capture_logs() as logs:
        once = public_errors([defect, expected], "r")
        twice = public_errors(once, "r")
    assert [error.formatted for error in once] == [error.formatted for error in twice]
    assert [error.extensions and error.extensions["code"] for error in once] == [
        ErrorCode.INTERNAL,
        ErrorCode.QUOTA_EXCEEDED,
    ]
    assert len(logs) == 1
