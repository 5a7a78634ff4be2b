"""`agent.json`: what an agent is, what it needs and may, and every file of its package."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from windtunnel.domain.architectures import AgentRole, DataSensitivity
from windtunnel.domain.packages import AccessMode, Classification
from windtunnel.domain.policy import PACKAGE_FILES_MAX, PACKAGE_UNPACKED_MAX_BYTES
from windtunnel.packages.fields import (
    ADDRESS_PATTERN,
    CALLABLE_PATTERN,
    Address,
    AgentName,
    Argument,
    Digest,
    ExactVersion,
    HostAndPort,
    Key,
    Line,
    Meta,
    Part,
    Path,
    PythonVersions,
    Seconds,
    SecretName,
    Words,
)


class EntrypointKind(StrEnum):
    """How an agent is started."""

    OPENAI_AGENTS = "openai-agents"
    PYTHON_MODULE = "python-module"
    COMMAND = "command"
    A2A_REMOTE = "a2a-remote"


class PackagedToolKind(StrEnum):
    """What a tool of a package is."""

    FUNCTION = "function"
    MCP = "mcp"
    HTTP = "http"


class SideEffects(StrEnum):
    """What calling a tool can change."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    IRREVERSIBLE = "irreversible"


class EvidenceKind(StrEnum):
    """What a package was tried by."""

    SIMULATION = "simulation"
    TEST = "test"


class Entrypoint(Part):
    """Where it begins: `ref` is `package.module:function`, a program, or the https address of a remote agent."""

    kind: EntrypointKind
    ref: Annotated[Argument, Field(min_length=1)]
    args: tuple[Argument, ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _refers(self) -> Self:
        _check_reference(self.ref, callable_=self.names_callable, address=self.kind is EntrypointKind.A2A_REMOTE)
        return self

    @property
    def names_callable(self) -> bool:
        """Whether `ref` is `package.module:function`."""
        return self.kind in {EntrypointKind.OPENAI_AGENTS, EntrypointKind.PYTHON_MODULE}


class Runtime(Part):
    """What it runs on. With `hashes`, the lock file pins every dependency by digest."""

    python: PythonVersions = ">=3.11"
    lockfile: Path | None = None
    hashes: bool = False

    @model_validator(mode="after")
    def _hashes_of_something(self) -> Self:
        if self.hashes and self.lockfile is None:
            raise ValueError("`hashes` is true, and there is no `lockfile` to have them.")
        return self


class PackagedModel(Part):
    """A model that it asks."""

    provider: Line
    id: Line
    pinned: bool
    purpose: Line | None = None


class PackagedAgent(Part):
    """One of the agents inside, and to whom it hands over."""

    id: Key
    role: AgentRole
    instructions_digest: Digest
    handoffs: tuple[Key, ...] = Field((), max_length=100)


class PackagedTool(Part):
    """Something that its agents call."""

    id: Key
    kind: PackagedToolKind
    ref: Annotated[Argument, Field(min_length=1)]
    side_effects: SideEffects
    scopes: tuple[Line, ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _refers(self) -> Self:
        _check_reference(self.ref, callable_=self.kind is PackagedToolKind.FUNCTION, address=False)
        return self


class DataStore(Part):
    """Data that it touches, and why."""

    resource: Line
    sensitivity: DataSensitivity
    access: AccessMode
    justification: Words


class DataUse(Part):
    """All that reviewers must know of the data."""

    classification: Classification
    stores: tuple[DataStore, ...] = Field(max_length=100)
    personal_data: bool
    purposes: tuple[Line, ...] = Field(max_length=50)
    retention_days: int = Field(ge=0, le=36_500)


class Permissions(Part):
    """What it may reach; nothing unless it says so. `secrets` has names, never values."""

    network: tuple[HostAndPort, ...] = Field((), max_length=100)
    filesystem: tuple[Line, ...] = Field((), max_length=100)
    secrets: tuple[SecretName, ...] = Field((), max_length=100)
    subprocess: bool = False


class Limits(Part):
    """What it gets along with; where nothing is said, the runtime's own limits hold alone."""

    memory_mib: int | None = Field(None, ge=16, le=65_536, alias="memoryMiB")
    cpu_seconds: Seconds | None = None
    wall_seconds: Seconds | None = None
    max_turns: int | None = Field(None, ge=1, le=10_000)
    budget_usd: float | None = Field(None, ge=0, le=1_000_000)


class Health(Part):
    """The command that tells whether it works: exit status 0 within `timeoutS`, run in the package's directory."""

    kind: Literal["command"]
    command: tuple[Argument, ...] = Field(min_length=1, max_length=100)
    timeout_s: float = Field(gt=0, le=300)


class Evidence(Part):
    """A run that the package was tried by."""

    kind: EvidenceKind
    run_id: Line
    digest: Digest


class PackagedFile(Part):
    """What a file must be."""

    sha256: Digest
    size: int = Field(ge=0, le=PACKAGE_UNPACKED_MAX_BYTES)


class Manifest(Part):
    """The manifest of an agent package, `agent.json`."""

    model_config = ConfigDict(title="Agent package manifest")

    schema_version: Literal["1"]
    name: AgentName
    version: ExactVersion
    title: Line
    description: Words
    owners: tuple[Address, ...] = Field(min_length=1, max_length=50)
    entrypoint: Entrypoint
    runtime: Runtime | None = None
    models: tuple[PackagedModel, ...] = Field((), max_length=100)
    agents: tuple[PackagedAgent, ...] = Field((), max_length=100)
    tools: tuple[PackagedTool, ...] = Field((), max_length=500)
    data: DataUse
    permissions: Permissions
    limits: Limits | None = None
    health: Health
    evidence: tuple[Evidence, ...] = Field((), max_length=100)
    files: dict[Path, PackagedFile] = Field(max_length=PACKAGE_FILES_MAX)
    meta: Meta = Field({}, alias="_meta")

    @property
    def namespace(self) -> str:
        """The slug of the tenant that the agent is named in."""
        return self.name.partition("/")[0]

    @property
    def slug(self) -> str:
        """The slug of the agent."""
        return self.name.partition("/")[2]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        agents, tools = [agent.id for agent in self.agents], [tool.id for tool in self.tools]
        for what, ids in (("agents", agents), ("tools", tools), ("owners", [own.casefold() for own in self.owners])):
            if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
                raise ValueError(f"{what}: {', '.join(twice)} is there more than once.")
        unknown = {other for agent in self.agents for other in agent.handoffs} - set(agents)
        if unknown:
            raise ValueError(f"agents: handoffs lead to {', '.join(sorted(unknown))}, and there is no such agent.")
        return self


def _check_reference(ref: str, *, callable_: bool, address: bool) -> None:
    if callable_ and not re.fullmatch(CALLABLE_PATTERN, ref):
        raise ValueError("`ref` names a function of a module here: `package.module:function`.")
    if address and not re.fullmatch(ADDRESS_PATTERN, ref):
        raise ValueError("`ref` is the https address of the remote agent here.")
