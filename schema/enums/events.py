"""What happens in a simulation."""

from schema.enums.describe import describe
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.observability import SpanStatus
from windtunnel.domain.planning import PlannerAgent

describe(
    EventKind,
    "What kind of thing happened. Kinds may be added: skip unknown ones.",
    {
        "SIMULATION_STARTED": "The simulation was accepted.",
        "PLANNER_STEP": "A planning agent started or ended.",
        "ARCHITECTURE_PLANNED": "The agent network is there.",
        "AGENT_START": "An agent took up a task.",
        "AGENT_END": "An agent ended a task.",
        "TOOL_USED": "An agent used a tool.",
        "DATA_FLOW": "Something passed along a link.",
        "FAILURE_EVENT": "A failure showed.",
        "RECOVERY": "A failure was dealt with.",
        "OBSERVABILITY": "A log record, a measurement or a span.",
        "NARRATIVE": "A piece of the story.",
        "SIMULATION_FINISHED": "The last event: it succeeded, failed or was cancelled.",
    },
    name="SimulationEventKind",
)
describe(
    StepStatus,
    "How a step stands.",
    {
        "STARTED": "It is under way.",
        "OK": "It was done.",
        "FAILED": "It was not done.",
        "RETRIED": "It failed and is tried again.",
        "SKIPPED": "It was left out.",
    },
)
describe(
    Signal,
    "Which of the three telemetry signals an observation is.",
    {"LOG": "A log record.", "METRIC": "A measurement.", "TRACE": "A span."},
    name="ObservabilitySignal",
)
describe(
    LogLevel,
    "Severity of a log record, in rising order.",
    {
        "DEBUG": "Only of interest when looking for a cause.",
        "INFO": "Worth knowing.",
        "WARN": "Not as it should be, but the work goes on.",
        "ERROR": "Something was not done.",
    },
)
describe(
    PlannerAgent,
    "The five planning agents, in the order they work.",
    {
        "SCENARIO_INTERPRETER": "Reads the scenario.",
        "ARCHITECTURE_PLANNER": "Draws the agent network.",
        "TOOL_SKILL_MAPPER": "Gives the agents tools and skills.",
        "FAILURE_SIMULATION": "Predicts what can go wrong.",
        "OBSERVABILITY_NARRATIVE": "Plans what is observed and how the run is told.",
    },
)
describe(
    SpanStatus,
    "How a span ended, in OpenTelemetry's words.",
    {"UNSET": "Nothing was said.", "OK": "It was done.", "ERROR": "It failed."},
)
