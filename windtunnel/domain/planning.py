"""What a planner takes and gives: the seam between the planning agents and everyone who calls them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import StepStatus
from windtunnel.domain.interpretations import Interpretation


class PlannerMode(StrEnum):
    """Which model answers: the built-in offline one, or an OpenAI-compatible endpoint."""

    OFFLINE = "OFFLINE"
    OPENAI = "OPENAI"


class PlannerAgent(StrEnum):
    """The five planning agents, in the order they work."""

    SCENARIO_INTERPRETER = "SCENARIO_INTERPRETER"
    ARCHITECTURE_PLANNER = "ARCHITECTURE_PLANNER"
    TOOL_SKILL_MAPPER = "TOOL_SKILL_MAPPER"
    FAILURE_SIMULATION = "FAILURE_SIMULATION"
    OBSERVABILITY_NARRATIVE = "OBSERVABILITY_NARRATIVE"


@dataclass(frozen=True, slots=True)
class PlannerStep:
    """One planning agent started or ended. `duration_ms` is measured only when a real model answered:
    offline runs are repeatable byte for byte, so nothing in them may depend on a clock."""

    planner: PlannerAgent
    status: StepStatus
    message: str
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of planning."""

    interpretation: Interpretation
    architecture: Architecture


OnStep = Callable[[PlannerStep], Awaitable[None]]


class Planner(Protocol):
    """Turns words into a plan."""

    @property
    def mode(self) -> PlannerMode:
        """Which kind of model answers."""
        ...

    @property
    def model(self) -> str | None:
        """The model's name; None offline."""
        ...

    async def plan(self, text: str, on_step: OnStep) -> Plan:
        """Plan the scenario, reporting each agent's start and end.

        Raises ValidationError (SCENARIO_EMPTY, SCENARIO_TOO_COMPLEX) or UnavailableError; never hangs longer
        than `policy.PLANNING_TIMEOUT_S`.
        """
        ...
