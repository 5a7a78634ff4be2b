"""The JSON Schema of `agent.json`, for editors and for those who make packages by other means."""

import json

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from windtunnel.packages.manifest import Manifest

SCHEMA_ID = "urn:windtunnel:agent-manifest:1"


class _Generator(GenerateJsonSchema):
    """Without a title for every field, which would only repeat its name."""

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:
        """Never."""
        del schema
        return False


def manifest_schema() -> str:
    """The schema as `docs/agent.schema.json` has it. What needs more than one place at a time to judge is not in it."""
    found = Manifest.model_json_schema(by_alias=True, schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": SCHEMA_ID, "title": found.pop("title")}
    return json.dumps({**head, **found}, indent=2, ensure_ascii=False) + "\n"
