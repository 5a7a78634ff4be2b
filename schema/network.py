"""The nodes and arrows of an agent network, and the failures expected at them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import strawberry

from schema.failures import FailureModeDefinition
from schema.tools import Tool
from windtunnel.domain import architectures as domain
from windtunnel.domain import failures
from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.domain.failures import FailureOutcome, Likelihood, Severity


@strawberry.type(description="How work is retried, bounded and degraded at one agent.")
class ResiliencePolicy:
    """Shows `architectures.ResiliencePolicy`."""

    timeout_ms: int | None = strawberry.field(
        description="Longest time for one attempt, in simulated milliseconds; null for no limit."
    )
    max_attempts: int = strawberry.field(description="Attempts in all, the first included.")
    backoff_ms: int = strawberry.field(
        description="Wait before the second attempt, in simulated milliseconds; it doubles with each further one."
    )
    circuit_breaker: bool = strawberry.field(description="Whether calls stop for a while after repeated failures.")
    fallback: str | None = strawberry.field(description="What answers instead when every attempt failed.")
    concurrency: int = strawberry.field(description="Tasks worked on at once.")

    @classmethod
    def of(cls, policy: domain.ResiliencePolicy) -> Self:
        """The policy as data."""
        return cls(
            timeout_ms=policy.timeout_ms,
            max_attempts=policy.max_attempts,
            backoff_ms=policy.backoff_ms,
            circuit_breaker=policy.circuit_breaker,
            fallback=policy.fallback,
            concurrency=policy.concurrency,
        )


@strawberry.type(description="A directed arrow along which data or control passes between two agents.")
class Link:
    """Shows `architectures.Link`."""

    key: str = strawberry.field(description="Stable key inside this architecture.")
    source: str = strawberry.field(description="Key of the agent where it starts.")
    target: str = strawberry.field(description="Key of the agent where it ends.")
    kind: LinkKind = strawberry.field(description="What passes along it.")
    label: str = strawberry.field(description="A few words for drawings.")
    condition: str | None = strawberry.field(description="When work takes it; null for always.")
    probability: float | None = strawberry.field(description="Share of the work that takes it, 0 to 1; null for all.")

    @classmethod
    def of(cls, link: domain.Link) -> Self:
        """The link as data."""
        return cls(
            key=link.key,
            source=link.source,
            target=link.target,
            kind=link.kind,
            label=link.label,
            condition=link.condition,
            probability=link.probability,
        )


@strawberry.type(description="A node of the agent network.")
class NetworkAgent:
    """Shows `architectures.NetworkAgent`, its tools and failure modes looked up."""

    key: str = strawberry.field(description="Stable key inside this architecture, used by links and events.")
    name: str = strawberry.field(description="What to call it.")
    role: AgentRole = strawberry.field(description="What it is for.")
    responsibility: str = strawberry.field(description="What it answers for, in a sentence.")
    instructions: str = strawberry.field(description="What it is told to do.")
    skills: list[str] = strawberry.field(description="What it must know.")
    tools: list[Tool] = strawberry.field(description="What it executes.")
    failure_modes: list["FailureMode"] = strawberry.field(description="Failure modes expected here.")
    policy: ResiliencePolicy = strawberry.field(description="How work is retried, bounded and degraded here.")
    layer: int = strawberry.field(description="Distance from the entry points, for drawing.")

    @classmethod
    def of(cls, agent: domain.NetworkAgent, tools: list[Tool]) -> Self:
        """The agent as data; its failure modes are filled in once they exist."""
        return cls(
            key=agent.key,
            name=agent.name,
            role=agent.role,
            responsibility=agent.responsibility,
            instructions=agent.instructions,
            skills=list(agent.skills),
            tools=tools,
            failure_modes=[],
            policy=ResiliencePolicy.of(agent.policy),
            layer=agent.layer,
        )


@strawberry.type(
    description="A failure mode expected in an architecture: predicted before a run, with where the number comes from."
)
class FailureMode:
    """Shows `failures.FailureMode`, and in a simulation where it was met."""

    key: str = strawberry.field(description="Stable key inside this architecture, used by events.")
    definition: FailureModeDefinition = strawberry.field(description="What it is in general.")
    severity: Severity = strawberry.field(description="How bad it is here.")
    likelihood: Likelihood = strawberry.field(description="How often to expect it.")
    probability: float = strawberry.field(description="Per run, 0 to 1.")
    provenance: str = strawberry.field(
        description="How well founded that is: published, secondary, prior or calibrated, with its citation."
    )
    rationale: str = strawberry.field(description="Why this scenario can meet it.")
    targets: list[NetworkAgent] = strawberry.field(description="The agents that it can hit.")
    mitigation: str = strawberry.field(description="What would help here.")
    detection: str = strawberry.field(description="How it would be noticed here.")
    triggered_seqs: list[int] = strawberry.field(description="Events in which it was injected, if it was.")
    outcome: FailureOutcome | None = strawberry.field(
        description="How it ended, at worst, where it was injected; null while it was not."
    )

    @classmethod
    def of(
        cls,
        mode: failures.FailureMode,
        definition: failures.FailureModeDefinition,
        targets: list[NetworkAgent],
        triggered_seqs: tuple[int, ...] = (),
        outcome: FailureOutcome | None = None,
    ) -> Self:
        """The mode as data."""
        return cls(
            key=mode.key,
            definition=FailureModeDefinition.of(definition),
            severity=mode.severity,
            likelihood=mode.likelihood,
            probability=mode.probability,
            provenance=mode.provenance,
            rationale=mode.rationale,
            targets=targets,
            mitigation=mode.mitigation,
            detection=mode.detection,
            triggered_seqs=list(triggered_seqs),
            outcome=outcome,
        )


Definitions = Callable[[str], failures.FailureModeDefinition]
"""Looks up a failure code in the catalogue."""


@dataclass(frozen=True, slots=True)
class Network:
    """The parts of one architecture, each referring to the others: built once, then read as plain attributes."""

    agents: dict[str, NetworkAgent]
    tools: dict[str, Tool]
    failure_modes: list[FailureMode]
    links: list[Link]

    @classmethod
    def of(cls, architecture: domain.Architecture, definitions: Definitions) -> Self:
        """Show every part of `architecture`."""
        tools = {tool.key: Tool.of(tool) for tool in architecture.tools}
        agents = {
            agent.key: NetworkAgent.of(agent, [tools[key] for key in agent.tools]) for agent in architecture.agents
        }
        modes = []
        for mode in architecture.failure_modes:
            targets = [agents[key] for key in mode.targets]
            shown = FailureMode.of(mode, definitions(mode.code), targets)
            for agent in targets:
                agent.failure_modes.append(shown)
            modes.append(shown)
        return cls(
            agents=agents, tools=tools, failure_modes=modes, links=[Link.of(link) for link in architecture.links]
        )
