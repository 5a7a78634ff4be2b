"""Architectures: the agent network as a graph."""

from typing import Annotated, Self

import strawberry

from resolvers import architectures, scenarios
from resolvers.architectures import GraphFormat
from schema.calibrations import Calibration
from schema.enums.describe import describe
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, optional
from schema.network import FailureMode, Link, Network, NetworkAgent
from schema.nodes import Node, finds
from schema.scenarios import Scenario
from schema.tools import Tool
from windtunnel.domain import architectures as domain
from windtunnel.domain import networks
from windtunnel.domain.architectures import StoredArchitecture

describe(
    GraphFormat,
    "A notation in which an agent network can be drawn.",
    {
        "MERMAID": "A Mermaid flowchart, e.g. for Markdown.",
        "DOT": "Graphviz.",
        "SVG": "A picture that stands alone.",
        "JSON": "The canonical JSON whose sha256 is the digest.",
    },
)


@strawberry.type(description="Something about the scenario or its planning that the author should know.")
class PlanningWarning:
    """Shows `architectures.PlanningWarning`."""

    code: str = strawberry.field(description="What kind of warning, for programs.")
    message: str = strawberry.field(description="What to know, for people.")

    @classmethod
    def of(cls, warning: domain.PlanningWarning) -> Self:
        """The warning as data."""
        return cls(code=warning.code, message=warning.message)


@strawberry.type(description="What the graph measures.")
class ArchitectureMetrics:
    """Shows `networks.ArchitectureMetrics`."""

    agent_count: int = strawberry.field(description="Agents.")
    link_count: int = strawberry.field(description="Links.")
    tool_count: int = strawberry.field(description="Tools.")
    depth: int = strawberry.field(description="Layers from the entry points on.")
    has_cycle: bool = strawberry.field(description="Whether work can come back to where it was.")
    critical_path: list[str] = strawberry.field(
        description="Keys along the slowest way through by mean service time, each loop taken once."
    )
    single_points_of_failure: list[str] = strawberry.field(
        description="Keys of the agents without which no work gets from an entry to an exit."
    )

    @classmethod
    def of(cls, metrics: networks.ArchitectureMetrics) -> Self:
        """The measures as data."""
        return cls(
            agent_count=metrics.agent_count,
            link_count=metrics.link_count,
            tool_count=metrics.tool_count,
            depth=metrics.depth,
            has_cycle=metrics.has_cycle,
            critical_path=list(metrics.critical_path),
            single_points_of_failure=list(metrics.single_points_of_failure),
        )


@strawberry.type(
    description="The agent network as a graph: draw `agents` as nodes and `links` as edges. "
    "Immutable; `digest` names its content."
)
class Architecture(Node):
    """Shows `architectures.StoredArchitecture`; its parts are built when the first of them is asked for."""

    digest: str = strawberry.field(description="The sha256 of the canonical JSON.")
    summary: str = strawberry.field(description="What the network does, in a few sentences.")
    patterns: list[str] = strawberry.field(
        description="Ids of the orchestration patterns it uses, e.g. router_triage, human_approval_gate."
    )
    entry_points: list[str] = strawberry.field(description="Keys of the agents where work enters.")
    exit_points: list[str] = strawberry.field(description="Keys of the agents where work leaves.")
    assumptions: list[str] = strawberry.field(description="What the planner took for granted.")
    clarifying_questions: list[str] = strawberry.field(description="What the planner would ask the author.")
    calibrations: list[Calibration] = strawberry.field(
        description="The agents and tools whose numbers come from recorded spans; those of all others are priors."
    )
    warnings: list[PlanningWarning] = strawberry.field(description="What the author should know.")
    confidence: float = strawberry.field(description="How sure the planner is, 0 to 1.")
    stored: strawberry.Private[StoredArchitecture]
    parts: strawberry.Private[Network | None] = None

    @resolved("The scenario it was planned for; null for one that was defined by hand.")
    async def scenario(self, info: Info) -> Scenario | None:
        """Loaded together with those of its neighbours."""
        found = await scenarios.scenario(info.context, self.stored.scenario_id)
        return optional(Scenario.of, found)

    @resolved("The architecture it was edited from; null when there is none.")
    async def based_on(self, info: Info) -> "Architecture | None":
        """Loaded together with those of its neighbours; null once it was deleted."""
        found = await architectures.architecture(info.context, self.stored.based_on)
        return optional(Architecture.of, found)

    @resolved("What differs from `basedOn`.")
    def changes(self) -> list[str]:
        """As it was found out when it was made."""
        return list(self.stored.changes)

    @resolved("The nodes of the graph.")
    def agents(self, info: Info) -> list[NetworkAgent]:
        """In the order of planning."""
        return list(self.network(info).agents.values())

    @resolved("The edges of the graph.")
    def links(self, info: Info) -> list[Link]:
        """In the order of planning."""
        return self.network(info).links

    @resolved("The tools that the agents use.")
    def tools(self, info: Info) -> list[Tool]:
        """In the order of planning."""
        return list(self.network(info).tools.values())

    @resolved("The failures that this network can meet, predicted before any run.")
    def failure_modes(self, info: Info) -> list[FailureMode]:
        """In the order of planning."""
        return self.network(info).failure_modes

    @resolved("What the graph measures.")
    def metrics(self) -> ArchitectureMetrics:
        """Measured when asked for."""
        return ArchitectureMetrics.of(networks.metrics_of(self.stored.architecture))

    @resolved("The network drawn in a notation.")
    async def render(self, format: Annotated[GraphFormat, strawberry.argument(description="Which notation.")]) -> str:
        """Drawn when asked for."""
        return await architectures.drawn(self.stored.architecture, format)

    def network(self, info: Info) -> Network:
        """Every part, built once."""
        if self.parts is None:
            self.parts = Network.of(self.stored.architecture, info.context.services.book.definition)
        return self.parts

    @classmethod
    def of(cls, stored: StoredArchitecture) -> Self:
        """The architecture as data."""
        architecture = stored.architecture
        return cls(
            id=encode(Kind.ARCHITECTURE, stored.id),
            digest=stored.digest,
            summary=architecture.summary,
            patterns=list(architecture.patterns),
            entry_points=list(architecture.entry_points),
            exit_points=list(architecture.exit_points),
            assumptions=list(architecture.assumptions),
            clarifying_questions=list(architecture.clarifying_questions),
            calibrations=[Calibration.of(each) for each in architecture.calibrations],
            warnings=[PlanningWarning.of(warning) for warning in architecture.warnings],
            confidence=architecture.confidence,
            stored=stored,
        )


@finds(Kind.ARCHITECTURE)
async def architecture_of(info: Info, raw: str | None) -> Architecture | None:
    """The architecture with this stored id."""
    found = await architectures.architecture(info.context, raw)
    return optional(Architecture.of, found)
