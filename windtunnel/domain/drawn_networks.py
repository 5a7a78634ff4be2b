"""Networks drawn by hand: what people give of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windtunnel.domain.architectures import AgentRole, DataSensitivity, LinkKind


@dataclass(frozen=True, slots=True)
class DrawnAgent:
    """An agent. `tools` are keys; `policy` has what was given of a `ResiliencePolicy`, by the names of its fields.

    None is what was not given: it comes from the agent of this key that it was edited from, else from our priors.
    """

    key: str
    name: str
    role: AgentRole
    responsibility: str
    instructions: str | None = None
    skills: tuple[str, ...] | None = None
    tools: tuple[str, ...] = ()
    policy: Mapping[str, int | bool | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DrawnLink:
    """An arrow from one agent to another; `key` and `label` are made up when they are None."""

    source: str
    target: str
    kind: LinkKind
    key: str | None = None
    label: str | None = None
    condition: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class DrawnTool:
    """A tool; `kind` is its id in the tool catalogue, from which comes what is None."""

    key: str
    kind: str
    name: str
    purpose: str | None = None
    side_effects: bool | None = None
    data_sensitivity: DataSensitivity | None = None


@dataclass(frozen=True, slots=True)
class DrawnNetwork:
    """A whole network; entry and exit points are keys of agents."""

    title: str
    agents: tuple[DrawnAgent, ...]
    links: tuple[DrawnLink, ...]
    tools: tuple[DrawnTool, ...]
    entry_points: tuple[str, ...]
    exit_points: tuple[str, ...]
