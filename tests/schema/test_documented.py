"""What the documents show of the API is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from schema.printing import sdl

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema(sdl())
FENCED = re.compile(r"^```graphql\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _examples() -> Iterator[tuple[str, str]]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, found in enumerate(FENCED.finditer(path.read_text("utf-8")), 1):
            yield f"{path.name} {number}", found[1]


EXAMPLES = dict(_examples())


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid(name: str) -> None:
    assert validate(SCHEMA, parse(EXAMPLES[name])) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5
