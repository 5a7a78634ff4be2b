"""Whose span it is: agents and tools of an architecture, by the names that spans have for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ValidationError
from windtunnel.simulation import semconv
from windtunnel.telemetry.recorded import RecordedSpan

_PREFIXES = tuple(f"{word} " for word in (semconv.INVOKE_AGENT, semconv.EXECUTE_TOOL))


@dataclass(frozen=True, slots=True)
class Places:
    """Names, in lower case and without punctuation, of agents and of tools, each with the key it stands for.

    `given` are names that somebody said a span of no known operation would have.
    """

    agents: Mapping[str, str]
    tools: Mapping[str, str]
    given: frozenset[str]

    def agent_of(self, span: RecordedSpan) -> str | None:
        """The agent that was invoked, or that asked its model."""
        match span.operation:
            case semconv.INVOKE_AGENT:
                return _first(self.agents, (span.agent_id, span.agent_name, _subject(span.name)))
            case semconv.CHAT:
                return _first(self.agents, (span.agent_id, span.agent_name))
            case "" if _plain(span.name) in self.given:
                return _first(self.agents, (span.name,))
        return None

    def tool_of(self, span: RecordedSpan) -> str | None:
        """The tool that was executed."""
        if span.operation == semconv.EXECUTE_TOOL:
            return _first(self.tools, (span.tool, _subject(span.name)))
        if span.operation == "" and _plain(span.name) in self.given:
            return _first(self.tools, (span.name,))
        return None


def places_of(architecture: Architecture, matches: Mapping[str, str] | None = None) -> Places:
    """By which names spans are matched: keys first, then names, then a tool's kind; a name of two things is of none.

    `matches` adds names that only the traces know, each with the key of the agent or tool that it stands for. Raises
    ValidationError when there is no such key.
    """
    matches = matches or {}
    agents = _names([(agent.key, (agent.key, agent.name)) for agent in architecture.agents])
    tools = _names([(tool.key, (tool.key, tool.name, tool.kind)) for tool in architecture.tools])
    agent_keys = {agent.key for agent in architecture.agents}
    tool_keys = {tool.key for tool in architecture.tools}
    for name, key in matches.items():
        if key not in agent_keys | tool_keys:
            raise ValidationError(
                f"{name!r} cannot stand for {key!r}: the architecture has no agent or tool with this key.",
                rule="unknown_key",
                path=("matches",),
            )
        (agents if key in agent_keys else tools)[_plain(name)] = key
    return Places(agents, tools, frozenset(_plain(name) for name in matches))


def _names(things: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """What is said first of a thing counts more than what is said later of another."""
    found: dict[str, str] = {}
    ranked = [(rank, _plain(name), key) for key, names in things for rank, name in enumerate(names)]
    taken: dict[tuple[int, str], set[str]] = {}
    for rank, name, key in ranked:
        taken.setdefault((rank, name), set()).add(key)
    for rank, name, key in sorted(ranked, key=lambda each: each[0]):
        if name and len(taken[rank, name]) == 1:
            found.setdefault(name, key)
    return found


def _first(names: Mapping[str, str], said: Iterable[str]) -> str | None:
    return next((names[plain] for each in said if (plain := _plain(each)) in names), None)


def _subject(name: str) -> str:
    """A span's name without the operation before it."""
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
