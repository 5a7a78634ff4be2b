"""A network that is declared, not designed: its agents and tools are given, a scenario says what it is for."""

from dataclasses import dataclass

from windtunnel.domain.architectures import AgentRole, DataSensitivity, ToolCategory
from windtunnel.knowledge import Access


@dataclass(frozen=True, slots=True)
class DeclaredAgent:
    """An agent, and to whom it hands over."""

    id: str
    role: AgentRole
    responsibility: str
    instructions: str
    handoffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredTool:
    """A tool. What its `words` speak of says which one of the catalogue it is like; `category` where that is known."""

    id: str
    words: str
    purpose: str
    access: Access
    external: bool
    category: ToolCategory | None
    sensitivity: DataSensitivity


@dataclass(frozen=True, slots=True)
class Declared:
    """A network: at least one agent, at least one tool, each id once; handoffs lead to agents of it."""

    summary: str
    agents: tuple[DeclaredAgent, ...]
    tools: tuple[DeclaredTool, ...]
    assumptions: tuple[str, ...] = ()
