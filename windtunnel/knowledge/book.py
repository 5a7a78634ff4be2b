"""The book: failure modes, orchestration patterns and tools, each with its source; read once from package data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from windtunnel.domain.architectures import DataSensitivity, ToolCategory
from windtunnel.domain.failures import FailureCategory, FailureEffect, FailureModeDefinition, FaultUnit, Inject


class Access(StrEnum):
    """What a tool does to the world."""

    READ = "read"
    WRITE = "write"
    COMPUTE = "compute"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class PatternEntry:
    """An orchestration pattern. `adds_failure_modes` are codes of failure modes that come with it."""

    id: str
    name: str
    aliases: tuple[str, ...]
    definition: str
    use_when: str
    avoid_when: str
    min_agents: int
    roles: tuple[str, ...]
    topology: tuple[str, ...]
    adds_failure_modes: tuple[str, ...]
    resilience_defaults: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A tool of the catalogue. `latency_ms` is the median of one call, our prior; `skill` is what its user knows."""

    id: str
    name: str
    purpose: str
    category: ToolCategory
    access: Access
    external: bool
    data_sensitivity: DataSensitivity
    latency_ms: float
    skill: str
    source: str

    @property
    def side_effects(self) -> bool:
        """True when a call changes something outside."""
        return self.access is Access.WRITE


@dataclass(frozen=True, slots=True)
class Triggers:
    """What makes a failure mode likelier: features of the network, and concepts found in the scenario."""

    structure: tuple[str, ...]
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything curated. Keys are the stable ids; `triggers` has canonical failure modes only."""

    definitions: Mapping[str, FailureModeDefinition]
    patterns: Mapping[str, PatternEntry]
    tools: Mapping[str, ToolEntry]
    triggers: Mapping[str, Triggers]

    def definition(self, code: str) -> FailureModeDefinition:
        """The entry of a failure mode, alias or canonical; KeyError when the book has none."""
        return self.definitions[code]

    def canonical(self, code: str) -> FailureModeDefinition:
        """The mode that `code` acts as; KeyError when the book has none."""
        return self.definitions[self.definitions[code].canonical]


@cache
def load_book() -> Book:
    """The book that ships with the product; read at the first call."""
    modes = _read("failure_modes.toml")
    patterns = _read("patterns.toml")
    tools = _read("tools.toml")
    raw = {mode["code"]: mode for mode in modes["mode"]}
    return Book(
        definitions=MappingProxyType({code: _definition(code, raw, modes["sources"]) for code in raw}),
        patterns=MappingProxyType({each["id"]: _pattern(each, patterns["sources"]) for each in patterns["pattern"]}),
        tools=MappingProxyType({each["id"]: _tool(each, tools["sources"]) for each in tools["tool"]}),
        triggers=MappingProxyType(
            {
                code: Triggers(tuple(mode["structure"]), tuple(mode["concepts"]))
                for code, mode in raw.items()
                if "canonical" not in mode
            }
        ),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("windtunnel.knowledge").joinpath(name).read_text("utf-8"))


def _definition(code: str, raw: Mapping[str, Any], sources: Mapping[str, str]) -> FailureModeDefinition:
    mode = raw[code]
    canonical = mode.get("canonical", code)
    acts_as = raw[canonical]
    source = sources[mode["source"]]
    return FailureModeDefinition(
        code=code,
        title=mode["title"],
        category=FailureCategory(mode["category"]),
        description=mode["description"],
        source=f"{source}: {mode['reference']}" if "reference" in mode else source,
        signals=tuple(mode.get("signals") or acts_as["signals"]),
        mitigations=tuple(mode.get("mitigations") or acts_as["mitigations"]),
        canonical=canonical,
        provenance=_provenance(acts_as, sources),
        effect=FailureEffect(
            inject=Inject(acts_as["inject"]),
            per=FaultUnit(acts_as["per"]),
            probability=float(acts_as["probability"]),
            silent=acts_as["silent"],
            retryable=acts_as["retryable"],
            cascades_to=tuple(acts_as.get("cascades_to", ())),
        ),
    )


def _provenance(mode: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    ours = f"{mode['probability']:g} per {mode['per'].replace('_', ' ')}"
    source = sources[mode["source"]]
    if mode["evidence"] == "prior":
        return f"prior: {ours} is our starting estimate; {mode['fact']} (listed by {source})"
    return f"{mode['evidence']}: {mode['fact']} ({source}); {ours} is our prior"


def _pattern(entry: Mapping[str, Any], sources: Mapping[str, str]) -> PatternEntry:
    return PatternEntry(
        id=entry["id"],
        name=entry["name"],
        aliases=tuple(entry["aliases"]),
        definition=entry["definition"],
        use_when=entry["use_when"],
        avoid_when=entry["avoid_when"],
        min_agents=entry["min_agents"],
        roles=tuple(entry["roles"]),
        topology=tuple(entry["topology"]),
        adds_failure_modes=tuple(entry["adds_failure_modes"]),
        resilience_defaults=tuple(entry["resilience_defaults"]),
        source=sources[entry["source"]],
    )


def _tool(entry: Mapping[str, Any], sources: Mapping[str, str]) -> ToolEntry:
    return ToolEntry(
        id=entry["id"],
        name=entry["name"],
        purpose=entry["purpose"],
        category=ToolCategory(entry["category"]),
        access=Access(entry["access"]),
        external=entry["external"],
        data_sensitivity=DataSensitivity(entry["data_sensitivity"]),
        latency_ms=float(entry["latency_ms"]),
        skill=entry["skill"],
        source=sources[entry["source"]],
    )
