"""An architecture: the agent network planned for a scenario. Immutable; its digest names its content."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pydantic_core
import rfc8785
from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel, to_snake

from windtunnel.domain.calibrations import Calibration
from windtunnel.domain.failures import FailureMode


class AgentRole(StrEnum):
    """What an agent is for."""

    ORCHESTRATOR = "ORCHESTRATOR"
    PLANNER = "PLANNER"
    ROUTER = "ROUTER"
    WORKER = "WORKER"
    SPECIALIST = "SPECIALIST"
    CRITIC = "CRITIC"
    GUARDRAIL = "GUARDRAIL"
    MEMORY = "MEMORY"
    HUMAN = "HUMAN"
    INTEGRATION = "INTEGRATION"


class LinkKind(StrEnum):
    """What passes along a link."""

    HANDOFF = "HANDOFF"
    CALL = "CALL"
    DATA = "DATA"
    EVENT = "EVENT"
    FEEDBACK = "FEEDBACK"


class ToolCategory(StrEnum):
    """The family of a tool."""

    SEARCH = "SEARCH"
    DATABASE = "DATABASE"
    HTTP_API = "HTTP_API"
    CODE = "CODE"
    FILE = "FILE"
    MESSAGING = "MESSAGING"
    RETRIEVAL = "RETRIEVAL"
    COMPUTE = "COMPUTE"
    HUMAN = "HUMAN"
    OTHER = "OTHER"


class DataSensitivity(StrEnum):
    """How sensitive the data is that a tool touches."""

    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"
    CONFIDENTIAL = "CONFIDENTIAL"
    RESTRICTED = "RESTRICTED"


class Distribution(StrEnum):
    """The shape of a service time."""

    LOGNORMAL = "lognormal"
    EXPONENTIAL = "exponential"
    DETERMINISTIC = "deterministic"


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """How long one step takes: mean in milliseconds of simulated time, and coefficient of variation."""

    mean_ms: float
    cv: float = 0.8
    distribution: Distribution = Distribution.LOGNORMAL


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Mean tokens of one model step; zero for people and plain integrations."""

    input: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class ResiliencePolicy:
    """How work is retried, bounded and degraded at one agent. `fallback` names what answers instead."""

    timeout_ms: int | None = None
    max_attempts: int = 1
    backoff_ms: int = 0
    circuit_breaker: bool = False
    fallback: str | None = None
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class NetworkAgent:
    """A node of the network. `tools` are tool keys; `layer` is the distance from the entry points."""

    key: str
    name: str
    role: AgentRole
    responsibility: str
    instructions: str
    skills: tuple[str, ...]
    tools: tuple[str, ...]
    policy: ResiliencePolicy
    layer: int
    service: ServiceTime
    tokens: TokenUse = TokenUse()


@dataclass(frozen=True, slots=True)
class Tool:
    """Something agents execute. `kind` is its id in the tool catalogue; `used_by` mirrors the agents' `tools`."""

    key: str
    kind: str
    name: str
    purpose: str
    category: ToolCategory
    side_effects: bool
    data_sensitivity: DataSensitivity
    used_by: tuple[str, ...]
    service: ServiceTime


@dataclass(frozen=True, slots=True)
class Link:
    """A directed arrow between two agents. `probability` is the share of work that takes it (None: always)."""

    key: str
    source: str
    target: str
    kind: LinkKind
    label: str
    condition: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class PlanningWarning:
    """Something about the scenario or its planning that the author should know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class AgentTelemetry:
    """What the narrator wants to see of one agent: a log sentence, and a business metric with its unit.

    `log` may use the placeholders `{task}`, `{duration_ms}` and `{status}`; unit as in UCUM, e.g. `ms`, `{item}`.
    """

    agent_key: str
    log: str
    metric: str
    unit: str


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The narrator's plan: how the run is to be observed and told. `opening` begins the narrative."""

    agents: tuple[AgentTelemetry, ...] = ()
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The agent network: agents as nodes, links as edges, the tools they use and the ways they can fail.

    `calibrations` say which service times and failures come from recorded spans; the others are priors.
    """

    summary: str
    patterns: tuple[str, ...]
    agents: tuple[NetworkAgent, ...]
    links: tuple[Link, ...]
    tools: tuple[Tool, ...]
    failure_modes: tuple[FailureMode, ...]
    entry_points: tuple[str, ...]
    exit_points: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    clarifying_questions: tuple[str, ...] = ()
    warnings: tuple[PlanningWarning, ...] = ()
    confidence: float = 1.0
    telemetry: Telemetry = field(default_factory=Telemetry)
    calibrations: tuple[Calibration, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredArchitecture:
    """An architecture as stored. `scenario_id` is None for one that was defined by hand.

    `based_on` is the id of the one that it was made from, if any, and `changes` are sentences on what differs.
    """

    id: str
    tenant_id: str
    scenario_id: str | None
    digest: str
    architecture: Architecture
    created_at: datetime
    based_on: str | None = None
    changes: tuple[str, ...] = ()


_ARCHITECTURE = TypeAdapter(Architecture)


def canonical_json(architecture: Architecture) -> bytes:
    """RFC 8785 canonical JSON, keys as in the GraphQL schema: the same architecture gives the same bytes everywhere."""
    plain = _ARCHITECTURE.dump_python(architecture, mode="json")
    if not architecture.calibrations:
        del plain["calibrations"]  # one that was never calibrated has the digest it had before there were any
    return rfc8785.dumps(_renamed(plain, to_camel))


def _renamed(value: Any, rename: Callable[[str], str]) -> Any:
    """The same JSON value with every key renamed; an architecture has no keys that are data."""
    if isinstance(value, dict):
        return {rename(key): _renamed(item, rename) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, rename) for item in value]
    return value


def digest_of(architecture: Architecture) -> str:
    """sha256 of the canonical JSON, in hex."""
    return sha256(canonical_json(architecture)).hexdigest()


def architecture_from_json(data: str | bytes) -> Architecture:
    """The reverse of `canonical_json`."""
    return _ARCHITECTURE.validate_python(_renamed(pydantic_core.from_json(data), to_snake), strict=False)
