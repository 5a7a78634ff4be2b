"""The sentences of the event stream: what happened, in plain English."""

from collections.abc import Sequence

from windtunnel.domain.architectures import AgentRole, LinkKind, NetworkAgent, Tool, ToolCategory
from windtunnel.domain.failures import FailureMode, Inject

_STARTS: dict[AgentRole, tuple[str, ...]] = {
    AgentRole.ORCHESTRATOR: ("{agent} takes {task} in hand and plans who does what.", "{agent} sets {task} going."),
    AgentRole.PLANNER: ("{agent} works out a plan for {task}.", "{agent} breaks {task} down into steps."),
    AgentRole.ROUTER: ("{agent} reads {task} and decides where it goes.", "{agent} sorts out what {task} needs."),
    AgentRole.WORKER: ("{agent} gets to work on {task}.", "{agent} starts on {task}."),
    AgentRole.SPECIALIST: ("{agent} looks into {task}.", "{agent} brings its expertise to {task}."),
    AgentRole.CRITIC: ("{agent} examines what was done on {task}.", "{agent} reviews {task} with a critical eye."),
    AgentRole.GUARDRAIL: ("{agent} checks {task} against the rules.", "{agent} screens {task}."),
    AgentRole.MEMORY: ("{agent} recalls what is known about {task}.", "{agent} looks up the history of {task}."),
    AgentRole.HUMAN: ("{agent} opens {task}.", "{agent} sits down with {task}."),
    AgentRole.INTEGRATION: ("{agent} connects {task} to the outside world.", "{agent} carries {task} over."),
}
_GATHERS = ("{agent} brings the results on {task} together.", "{agent} goes on with what came back on {task}.")
_VERBS: dict[ToolCategory, tuple[str, str]] = {
    ToolCategory.SEARCH: ("searches with", "searches with"),
    ToolCategory.DATABASE: ("queries", "writes to"),
    ToolCategory.HTTP_API: ("asks", "makes a change in"),
    ToolCategory.CODE: ("runs", "runs"),
    ToolCategory.FILE: ("reads from", "saves to"),
    ToolCategory.MESSAGING: ("checks", "sends a message through"),
    ToolCategory.RETRIEVAL: ("retrieves passages from", "adds to"),
    ToolCategory.COMPUTE: ("computes with", "computes with"),
    ToolCategory.HUMAN: ("consults", "hands a question to"),
    ToolCategory.OTHER: ("uses", "uses"),
}
_PASSES: dict[LinkKind, str] = {
    LinkKind.HANDOFF: "{source} hands {task} over to {target}",
    LinkKind.CALL: "{source} calls in {target} for {task}",
    LinkKind.DATA: "{source} passes its results on {task} to {target}",
    LinkKind.EVENT: "{source} lets {target} know about {task}",
    LinkKind.FEEDBACK: "{source} sends {task} back to {target}",
}
_TOOL_FAILURES: dict[Inject, str] = {
    Inject.ERROR: "{tool} turns {agent} away with an error",
    Inject.LATENCY: "{tool} slows to a crawl while {agent} waits",
    Inject.OUTAGE_WINDOW: "{tool} goes down while {agent} needs it",
    Inject.TRUNCATE: "{tool} gives {agent} only part of the answer",
    Inject.CORRUPT: "{tool} gives {agent} garbled data",
    Inject.WRONG_OUTPUT: "{agent} gets a plausible but wrong answer out of {tool}",
    Inject.LOOP: "{agent} keeps calling {tool} with the same question",
    Inject.SKIP: "{agent} leaves out the call to {tool}",
    Inject.DROP: "{tool}'s answer to {agent} gets lost",
    Inject.DUPLICATE: "{agent}'s call reaches {tool} twice",
    Inject.BLOCK: "{agent} hangs in a call to {tool}",
    Inject.OVERLOAD: "A wave of other work swamps {agent} and {tool}",
    Inject.HIJACK: "What {tool} returns carries foreign instructions, and {agent} follows them",
    Inject.EXFILTRATE: "{agent} is tricked into sending data out by way of {tool}",
}
_WORK_FAILURES: dict[Inject, str] = {
    Inject.ERROR: "{agent} breaks off with an error",
    Inject.LATENCY: "{agent} slows to a crawl",
    Inject.OUTAGE_WINDOW: "{agent} is cut off from what it runs on",
    Inject.TRUNCATE: "{agent} stops in the middle of its answer",
    Inject.CORRUPT: "{agent} produces garbled output",
    Inject.WRONG_OUTPUT: "{agent} gives a plausible but wrong answer",
    Inject.LOOP: "{agent} goes round in circles",
    Inject.SKIP: "{agent} skips its own step",
    Inject.DROP: "{agent}'s answer gets lost",
    Inject.DUPLICATE: "{agent} does the same work twice",
    Inject.BLOCK: "{agent} stands still, waiting for something that does not come",
    Inject.OVERLOAD: "A wave of other work swamps {agent}",
    Inject.HIJACK: "{agent} obeys instructions hidden in its input",
    Inject.EXFILTRATE: "{agent} is tricked into sending data out",
}
_LINK_FAILURES: dict[Inject, str] = {
    Inject.ERROR: "The message from {agent} to {target} cannot be delivered",
    Inject.LATENCY: "The message from {agent} to {target} is held up",
    Inject.OUTAGE_WINDOW: "The line from {agent} to {target} goes down",
    Inject.TRUNCATE: "{target} receives only part of what {agent} sent",
    Inject.CORRUPT: "What {agent} sends to {target} arrives garbled",
    Inject.WRONG_OUTPUT: "{agent} sends {target} something that is not right",
    Inject.LOOP: "{agent} sends {target} the same message over and over",
    Inject.SKIP: "{agent} forgets to pass its work on to {target}",
    Inject.DROP: "The message from {agent} to {target} gets lost",
    Inject.DUPLICATE: "The message from {agent} reaches {target} twice",
    Inject.BLOCK: "{agent} and {target} wait for each other",
    Inject.OVERLOAD: "The line from {agent} to {target} is flooded",
    Inject.HIJACK: "Foreign instructions slip into the message from {agent} to {target}",
    Inject.EXFILTRATE: "A copy of the message from {agent} to {target} leaks out",
}


_ACRONYMS = {"llm", "api", "rag", "sla", "pii", "mcp", "sql"}


_SPANS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
"""Seconds and names of a span, and of the one that its rest is told in."""


def spell(milliseconds: float) -> str:
    """A duration as people say it: `850 ms`, `2.43 s`, `5 min 20 s`, `2 h 26 min`, `1 d 4 h`."""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1_000:.3g} s"
    seconds = round(milliseconds / 1_000)
    whole, unit, part, smaller = next(each for each in _SPANS if seconds >= each[0])
    rest = seconds % whole // part
    return f"{seconds // whole} {unit}" + (f" {rest} {smaller}" if rest else "")


def readable(code: str) -> str:
    """A failure mode's code as words: `tool_api_timeout` becomes `tool API timeout`."""
    if code.startswith("mast_fm_"):
        return "MAST FM-" + code.removeprefix("mast_fm_").replace("_", ".")
    parts = code.split("_")
    return " ".join(part.upper() if part in _ACRONYMS or part.startswith("asi0") else part for part in parts)


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def count(number: int, noun: str) -> str:
    """`one task`, `two tasks`, `13 tasks`; without a noun the number alone."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    word = small[number] if number < len(small) else f"{number:,}"
    if not noun:
        return word
    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


def start_phrases(role: AgentRole, *, gathers: bool) -> tuple[str, ...]:
    """Ways to say that an agent of this role begins, or goes on with what others brought back."""
    return _GATHERS if gathers else _STARTS[role]


def verb(tool: Tool) -> str:
    """What an agent does with this tool."""
    return _VERBS[tool.category][int(tool.side_effects)]


def passing(kind: LinkKind) -> str:
    """How work passes along a link of this kind."""
    return _PASSES[kind]


def failing(
    mode: FailureMode, task: str, agent: NetworkAgent, *, tool: Tool | None, target: NetworkAgent | None
) -> str:
    """The sentence of a failure event: at a link when `target` is given, at a tool call when `tool` is."""
    if target is not None:
        phrase = _LINK_FAILURES[mode.effect.inject]
    else:
        phrase = (_WORK_FAILURES if tool is None else _TOOL_FAILURES)[mode.effect.inject]
    sentence = phrase.format(
        agent=agent.name, tool="" if tool is None else tool.name, target="" if target is None else target.name
    )
    unseen = " Nobody notices yet." if mode.effect.silent else ""
    return f"{sentence} ({readable(mode.code)}, {task}).{unseen}"
