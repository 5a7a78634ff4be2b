"""The committed schema.graphql is what the code prints, and other tools can read it."""

from pathlib import Path

from graphql import build_schema, parse, validate_schema

from schema.printing import sdl

GOLDEN = Path(__file__).parents[2] / "schema.graphql"


def test_the_committed_schema_is_current() -> None:
    assert GOLDEN.read_text("utf-8") == sdl(), "print it anew: windtunnel schema > schema.graphql"


def test_the_printed_schema_stands_alone() -> None:
    assert validate_schema(build_schema(sdl())) == []


def test_the_printed_schema_begins_with_the_conventions() -> None:
    description = parse(sdl()).definitions[0].description  # type: ignore[attr-defined]
    assert description.value.startswith("Windtunnel: plan, simulate")
    assert build_schema(sdl()).description == description.value
