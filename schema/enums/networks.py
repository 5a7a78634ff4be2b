"""What the parts of an agent network are."""

from schema.enums.describe import describe
from windtunnel.domain.architectures import AgentRole, DataSensitivity, LinkKind, ToolCategory

describe(
    AgentRole,
    "What an agent is for.",
    {
        "ORCHESTRATOR": "Directs the others.",
        "PLANNER": "Breaks work into steps.",
        "ROUTER": "Decides who takes the work.",
        "WORKER": "Does one kind of step.",
        "SPECIALIST": "Knows one field well.",
        "CRITIC": "Judges the work of others.",
        "GUARDRAIL": "Stops what must not pass.",
        "MEMORY": "Remembers for the others.",
        "HUMAN": "A person in the loop.",
        "INTEGRATION": "The door to another system.",
    },
)
describe(
    LinkKind,
    "What passes along a link.",
    {
        "HANDOFF": "Control moves on.",
        "CALL": "One agent uses another as a tool, and waits.",
        "DATA": "Only data passes.",
        "EVENT": "A signal that nobody waits for.",
        "FEEDBACK": "Work comes back to be done better.",
    },
)
describe(
    ToolCategory,
    "The family of a tool.",
    {
        "SEARCH": "Finds things.",
        "DATABASE": "Keeps records.",
        "HTTP_API": "A service behind an API.",
        "CODE": "Runs or changes code.",
        "FILE": "Reads or writes files.",
        "MESSAGING": "Sends messages.",
        "RETRIEVAL": "Fetches passages for a model.",
        "COMPUTE": "Calculates.",
        "HUMAN": "Asks a person.",
        "OTHER": "None of these.",
    },
)
describe(
    DataSensitivity,
    "How sensitive the data is that a tool touches.",
    {
        "PUBLIC": "Anyone may see it.",
        "INTERNAL": "For the organisation only.",
        "CONFIDENTIAL": "For some people of the organisation only.",
        "RESTRICTED": "Protected by law or contract.",
    },
)
