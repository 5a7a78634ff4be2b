"""The input and payload of `defineArchitecture`: a network drawn by hand."""

import strawberry

from schema.architectures import Architecture
from schema.ids import Kind, demand
from schema.info import given
from schema.payloads import Payload
from windtunnel.domain.architectures import AgentRole, DataSensitivity, LinkKind
from windtunnel.domain.drawn_networks import DrawnAgent, DrawnLink, DrawnNetwork, DrawnTool

_LATER = "When absent, that of the same key in `basedOn`, if its role or kind is the same; else our prior."


@strawberry.input(description="How work is retried, bounded and degraded at an agent. " + _LATER)
class ResiliencePolicyInput:
    """What is given of a policy."""

    timeout_ms: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Longest time for one attempt, in simulated milliseconds, from 1 on; null for no limit.",
    )
    max_attempts: int | None = strawberry.field(
        default=strawberry.UNSET, description="Attempts in all, the first included: 1 to 30."
    )
    backoff_ms: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Wait before the second attempt, in simulated milliseconds, from 0 on; it doubles with each "
        "further one.",
    )
    circuit_breaker: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether calls stop for a while after repeated failures."
    )
    fallback: str | None = strawberry.field(
        default=strawberry.UNSET, description="What answers instead when every attempt failed; null for nothing."
    )
    concurrency: int | None = strawberry.field(
        default=strawberry.UNSET, description="Tasks worked on at once: 1 to 10,000."
    )

    def plain(self) -> dict[str, int | bool | str | None]:
        """What was given, by the names of the policy's fields."""
        return {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}


@strawberry.input(description="An agent of a network drawn by hand.")
class NetworkAgentInput:
    """A node of the graph."""

    key: str = strawberry.field(
        description="Unique among agents and tools: 1 to 64 letters, digits, `_`, `.` and `-`. Links name it."
    )
    name: str = strawberry.field(description="What to call it.")
    role: AgentRole = strawberry.field(description="What it is for.")
    responsibility: str = strawberry.field(description="What it answers for, in a sentence.")
    instructions: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is told to do. " + _LATER
    )
    skills: list[str] | None = strawberry.field(default=strawberry.UNSET, description="What it must know. " + _LATER)
    tool_keys: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Keys of the tools that it uses; none when absent."
    )
    policy: ResiliencePolicyInput | None = strawberry.field(
        default=strawberry.UNSET, description="How work is retried, bounded and degraded here. " + _LATER
    )

    def drawn(self) -> DrawnAgent:
        """The agent as plain values."""
        skills, policy = given(self.skills), given(self.policy)
        return DrawnAgent(
            key=self.key,
            name=self.name,
            role=self.role,
            responsibility=self.responsibility,
            instructions=given(self.instructions),
            skills=None if skills is None else tuple(skills),
            tools=tuple(given(self.tool_keys) or ()),
            policy=policy.plain() if policy else {},
        )


@strawberry.input(description="An arrow of a network drawn by hand.")
class LinkInput:
    """An edge of the graph."""

    key: str | None = strawberry.field(
        default=strawberry.UNSET, description="Unique among links; made of its ends when absent."
    )
    source: str = strawberry.field(description="Key of the agent where it starts.")
    target: str = strawberry.field(description="Key of the agent where it ends.")
    kind: LinkKind = strawberry.field(description="What passes along it.")
    label: str | None = strawberry.field(default=strawberry.UNSET, description="A few words for drawings.")
    condition: str | None = strawberry.field(
        default=strawberry.UNSET, description="When work takes it; absent for always."
    )
    probability: float | None = strawberry.field(
        default=strawberry.UNSET, description="Share of the work that takes it, 0 to 1; absent for all."
    )

    def drawn(self) -> DrawnLink:
        """The link as plain values."""
        return DrawnLink(
            source=self.source,
            target=self.target,
            kind=self.kind,
            key=given(self.key),
            label=given(self.label),
            condition=given(self.condition),
            probability=given(self.probability),
        )


@strawberry.input(description="A tool of a network drawn by hand; at least one agent must use it.")
class ToolInput:
    """Something agents execute."""

    key: str = strawberry.field(description="Unique among agents and tools.")
    kind: str = strawberry.field(description="Id in the tool catalogue, e.g. crm, payments.")
    name: str = strawberry.field(description="What to call it.")
    purpose: str | None = strawberry.field(default=strawberry.UNSET, description="What it is used for here. " + _LATER)
    side_effects: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it changes anything outside. " + _LATER
    )
    data_sensitivity: DataSensitivity | None = strawberry.field(
        default=strawberry.UNSET, description="How sensitive the data is that it touches. " + _LATER
    )

    def drawn(self) -> DrawnTool:
        """The tool as plain values."""
        return DrawnTool(
            key=self.key,
            kind=self.kind,
            name=self.name,
            purpose=given(self.purpose),
            side_effects=given(self.side_effects),
            data_sensitivity=given(self.data_sensitivity),
        )


@strawberry.input(description="A network drawn by hand, or a planned one edited; validated like a planned one.")
class DefineArchitectureInput:
    """The input of `defineArchitecture`."""

    title: str = strawberry.field(description="What it is, in a few words; also its summary.")
    based_on: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The architecture it was edited from."
    )
    agents: list[NetworkAgentInput] = strawberry.field(description="The nodes of the graph: 1 to 64.")
    links: list[LinkInput] = strawberry.field(description="The edges of the graph; they must reach every agent.")
    tools: list[ToolInput] = strawberry.field(description="What the agents execute: at least one.")
    entry_points: list[str] = strawberry.field(description="Keys of the agents where work enters.")
    exit_points: list[str] = strawberry.field(description="Keys of the agents where work leaves.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input give the first result again, for 24 hours.",
    )

    def drawn(self) -> DrawnNetwork:
        """The network as plain values."""
        return DrawnNetwork(
            title=self.title,
            agents=tuple(each.drawn() for each in self.agents),
            links=tuple(each.drawn() for each in self.links),
            tools=tuple(each.drawn() for each in self.tools),
            entry_points=tuple(self.entry_points),
            exit_points=tuple(self.exit_points),
        )

    def origin(self) -> str | None:
        """The stored id of what it was edited from; NotFoundError for one that cannot name an architecture."""
        based_on = given(self.based_on)
        return None if based_on is None else demand(Kind.ARCHITECTURE, based_on, ("input", "based_on"))


@strawberry.type(description="Outcome of `defineArchitecture`.")
class DefineArchitecturePayload(Payload):
    """The architecture, or everything that is wrong with the network."""

    architecture: Architecture | None = strawberry.field(default=None, description="The architecture.")
