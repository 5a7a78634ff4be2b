"""The agent card (A2A 1.0) that a package may carry."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.inspection.objects import read_object
from windtunnel.packages.manifest import Manifest

CARD_PATH = "agent-card.json"
CARD_MAX_BYTES = 1024 * 1024

_TOLD = 10


class _Open(BaseModel):
    """An object in which later versions of the card may put more."""

    model_config = ConfigDict(extra="ignore", strict=True, alias_generator=to_camel)


class _Interface(_Open):
    url: str = Field(min_length=1, max_length=2_000, pattern=r"^(?:https|grpcs)://")
    protocol_binding: str = Field(min_length=1, max_length=100)
    protocol_version: str = Field("1.0", max_length=20)


class _Skill(_Open):
    id: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1)
    tags: list[str]


class _Card(_Open):
    """What every card must say."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1)
    version: str = Field(min_length=1, max_length=100)
    supported_interfaces: list[_Interface] = Field(min_length=1)
    capabilities: dict[str, Any]
    default_input_modes: list[str] = Field(min_length=1)
    default_output_modes: list[str] = Field(min_length=1)
    skills: list[_Skill] = Field(min_length=1)


def check_card(data: bytes, manifest: Manifest, findings: Findings) -> None:
    """Add what is wrong with it, or different from the manifest."""
    found = read_object(CARD_PATH, data, Code.CARD_INVALID, findings)
    if found is None:
        return
    try:
        card = _Card.model_validate(found)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False)[:_TOLD]:
            where = ".".join(str(part) for part in problem["loc"])
            findings.add(Code.CARD_INVALID, f"{where}: {_sentence(problem['type'])}", CARD_PATH)
        return
    if card.version != manifest.version:
        findings.add(Code.CARD_DIFFERENT, "version: It is not that of the package.", CARD_PATH)


def _sentence(kind: str) -> str:
    if kind == "missing":
        return "It is missing."
    return "It must be an address with TLS." if kind == "string_pattern_mismatch" else "It has the wrong form."
