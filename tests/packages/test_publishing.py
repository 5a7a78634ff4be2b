"""The published JSON Schema: that of the model, and of use to others."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.packages.test_manifest import REFUSED, TAKEN, changed
from tests.packages.world import manifest
from windtunnel.packages.publishing import manifest_schema

ROOT = Path(__file__).parents[2]
PUBLISHED = json.loads(manifest_schema())
VALIDATOR = jsonschema.Draft202012Validator(PUBLISHED)


def test_what_is_published_is_what_the_model_says() -> None:
    assert (ROOT / "docs" / "agent.schema.json").read_text("utf-8") == manifest_schema()


def test_it_is_a_schema_and_takes_the_example() -> None:
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    VALIDATOR.validate(manifest())
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(manifest(extra=1))


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in TAKEN for value in values], ids=repr)
def test_it_takes_what_we_take(path: tuple[str | int, ...], value: Any) -> None:
    VALIDATOR.validate(changed(*path, to=value))


def test_it_refuses_nearly_all_that_we_refuse() -> None:
    """The rest takes a look at several places at once, or at what a text means."""
    taken = [
        (path, value) for path, values in REFUSED for value in values if VALIDATOR.is_valid(changed(*path, to=value))
    ]
    assert {path[0] for path, _ in taken} <= {
        "owners",
        "entrypoint",
        "runtime",
        "agents",
        "tools",
        "permissions",
        "files",
    }
    assert len(taken) < sum(len(values) for _, values in REFUSED) / 4


def test_the_example_agent_points_to_nothing_else() -> None:
    example = json.loads((ROOT / "examples" / "triage" / "agent.json").read_text("utf-8"))
    VALIDATOR.validate(example | {"files": {}})
