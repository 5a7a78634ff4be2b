"""A network as the failure model sees it: its parts, and what is known about its scenario."""

from collections.abc import Sequence
from dataclasses import dataclass

from windtunnel.domain.architectures import Architecture, Link, NetworkAgent, Tool


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of an architecture that failures depend on. `concepts` are those found in the scenario, if known."""

    agents: Sequence[NetworkAgent]
    links: Sequence[Link]
    tools: Sequence[Tool]
    patterns: Sequence[str]
    confidence: float = 1.0
    constraints: int = 0
    concepts: frozenset[str] = frozenset()


def shape_of(architecture: Architecture) -> Shape:
    """The shape of a finished architecture, whose scenario is not known here."""
    return Shape(
        agents=architecture.agents,
        links=architecture.links,
        tools=architecture.tools,
        patterns=architecture.patterns,
        confidence=architecture.confidence,
    )
