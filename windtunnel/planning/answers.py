"""What the five planning agents are asked (briefs) and what they answer: the schemas sent to the model."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.knowledge import load_book


def _one_of(names: Iterable[str]) -> Any:
    """The schema names what is known; an answer with another word still fits, and is mapped or dropped."""
    known: list[JsonValue] = [*sorted(names)]
    return Field(json_schema_extra={"enum": known})


Role = Annotated[str, _one_of(AgentRole)]
Kind = Annotated[str, _one_of(LinkKind)]
PatternId = Annotated[str, _one_of(load_book().patterns)]
ToolId = Annotated[str, _one_of(load_book().tools)]
ModeCode = Annotated[str, _one_of(load_book().triggers)]


class Message(BaseModel):
    """A brief or an answer; fields that nobody asked for are ignored."""

    model_config = ConfigDict(extra="ignore")


class InterpreterAnswer(Message):
    """The Scenario Interpreter's understanding of the text."""

    goal: str = Field(description="What the system is for, in one sentence, in the scenario's language.")
    domain: str = Field(description="The field of work, one or two English words, e.g. healthcare.")
    actors: list[str] = Field(description="People, groups and systems that the scenario names.")
    people: list[str] = Field(description="Those of the actors that are human and take part in the work.")
    inputs: list[str] = Field(description="What comes in.")
    outputs: list[str] = Field(description="What comes out.")
    constraints: list[str] = Field(description="Limits, rules, deadlines and volumes that the scenario states.")
    assumptions: list[str] = Field(description="What you had to assume.")
    clarifying_questions: list[str] = Field(description="What you would ask the author, at most five questions.")
    confidence: float = Field(description="How sure you are that you understood it, from 0 to 1.")


class AgentAnswer(Message):
    """One agent of the network."""

    key: str = Field(description="Unique, lower case, words joined by underscores.")
    name: str = Field(description="A short name in the scenario's own words.")
    role: Role = Field(description="What it is for. A person is always HUMAN.")
    responsibility: str = Field(description="What it is responsible for, one sentence.")
    instructions: str = Field(description="What it is told to do.")
    concurrency: int = Field(description="How many equal copies work at once; 1 for most.")


class LinkAnswer(Message):
    """One arrow between two agents."""

    source: str = Field(description="Key of an agent.")
    target: str = Field(description="Key of an agent.")
    kind: Kind = Field(description="What passes. An arrow back is FEEDBACK.")
    label: str = Field(description="What passes, a few words.")
    condition: str | None = Field(description="When it is taken; null when always.")
    probability: float | None = Field(description="Share of the work that takes it, 0 to 1; null when always.")


class ArchitectAnswer(Message):
    """The Architecture Planner's network."""

    summary: str = Field(description="The network in one or two sentences.")
    patterns: list[PatternId] = Field(description="Ids of the patterns used, from the brief.")
    agents: list[AgentAnswer] = Field(min_length=1)
    links: list[LinkAnswer]
    entry_points: list[str] = Field(description="Keys of the agents where work enters.")
    exit_points: list[str] = Field(description="Keys of the agents where work leaves.")


class ToolAnswer(Message):
    """One tool and who uses it."""

    kind: ToolId = Field(description="Id of a tool of the catalogue in the brief.")
    purpose: str = Field(description="What it is used for here.")
    used_by: list[str] = Field(description="Keys of the agents that use it.")


class SkillAnswer(Message):
    """What an agent knows how to do."""

    agent: str = Field(description="Key of an agent.")
    skills: list[str]


class MapperAnswer(Message):
    """The Tool and Skill Mapper's assignment."""

    tools: list[ToolAnswer]
    skills: list[SkillAnswer]


class FailureAnswer(Message):
    """One failure mode expected in this network."""

    code: ModeCode = Field(description="Code of a failure mode of the book in the brief.")
    targets: list[str] = Field(description="Keys of the agents that it can hit.")
    tool: ToolId | None = Field(description="Id of the tool that it concerns, or null.")
    rationale: str = Field(description="Why this scenario can meet it.")
    mitigation: str = Field(description="What to do about it here.")
    detection: str = Field(description="How it would show.")


class FailuresAnswer(Message):
    """The Failure Simulation Agent's choice."""

    failure_modes: list[FailureAnswer]


class TelemetryAnswer(Message):
    """What to observe of one agent."""

    agent: str = Field(description="Key of an agent.")
    log: str = Field(description="A log sentence; may use {task}, {duration_ms} and {status}.")
    metric: str = Field(description="Name of a business metric, lower case, words joined by underscores.")
    unit: str = Field(description="Its unit in UCUM, e.g. ms or {item}.")


class NarratorAnswer(Message):
    """The Observability and Narrative Agent's plan."""

    opening: str = Field(description="The first sentence of the story of a run.")
    agents: list[TelemetryAnswer]


class CatalogueItem(Message):
    """An entry of the book as the briefs show it."""

    id: str
    text: str


class InterpreterBrief(Message):
    """Asked of the Scenario Interpreter."""

    scenario: str


class ArchitectBrief(InterpreterBrief):
    """Asked of the Architecture Planner."""

    interpretation: InterpreterAnswer
    patterns: list[CatalogueItem]


class MapperBrief(InterpreterBrief):
    """Asked of the Tool and Skill Mapper."""

    network: ArchitectAnswer
    tools: list[CatalogueItem]


class FailuresBrief(InterpreterBrief):
    """Asked of the Failure Simulation Agent."""

    network: ArchitectAnswer
    failure_modes: list[CatalogueItem]


class NarratorBrief(InterpreterBrief):
    """Asked of the Observability and Narrative Agent."""

    network: ArchitectAnswer


class Answers(Message):
    """All five answers of one plan."""

    interpreter: InterpreterAnswer
    architect: ArchitectAnswer
    mapper: MapperAnswer
    failures: FailuresAnswer
    narrator: NarratorAnswer
