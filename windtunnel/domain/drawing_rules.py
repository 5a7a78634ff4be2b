"""Which networks drawn by hand are refused, and for what: every problem with the way to the value to blame."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from windtunnel.domain.drawn_networks import DrawnAgent, DrawnNetwork
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.networks import distances
from windtunnel.domain.policy import (
    ARCHITECTURE_MAX_AGENTS,
    NETWORK_CONCURRENCY_MAX,
    NETWORK_LINKS_MAX,
    NETWORK_NAME_MAX_CHARS,
    NETWORK_SKILLS_MAX,
    NETWORK_TEXT_MAX_CHARS,
    NETWORK_TOOLS_MAX,
)
from windtunnel.domain.scenarios import check_storable

KEY = re.compile(r"[\w.-]{1,64}")
_RANGES = {
    "timeout_ms": (1, None),
    "max_attempts": (1, 30),
    "backoff_ms": (0, None),
    "concurrency": (1, NETWORK_CONCURRENCY_MAX),
}
"""What is allowed of a policy's numbers; None is no limit."""

Path = tuple[str, ...]


def problems_of(drawn: DrawnNetwork, kinds: Collection[str]) -> list[ValidationError]:
    """Everything that is wrong with a network; `kinds` are the ids of the tool catalogue. Empty when it can be used."""
    found = [*_sizes(drawn), *_texts(drawn)]
    if found:
        return found
    agents = {agent.key for agent in drawn.agents}
    found += [*_keys(drawn), *_links(drawn, agents), *_points(drawn, agents), *_policies(drawn), *_tools(drawn, kinds)]
    return found or list(_unreachable(drawn))


def _problem(rule: str, message: str, *path: str) -> ValidationError:
    return ValidationError(message, rule=rule, path=("input", *path))


def _sizes(drawn: DrawnNetwork) -> Iterator[ValidationError]:
    for name, many, least, most in (
        ("agents", drawn.agents, 1, ARCHITECTURE_MAX_AGENTS),
        ("tools", drawn.tools, 1, NETWORK_TOOLS_MAX),
        ("links", drawn.links, 0, NETWORK_LINKS_MAX),
        ("entry_points", drawn.entry_points, 1, ARCHITECTURE_MAX_AGENTS),
        ("exit_points", drawn.exit_points, 1, ARCHITECTURE_MAX_AGENTS),
    ):
        if not least <= len(many) <= most:
            words = name.replace("_", " ")
            yield _problem("wrong_number", f"A network has {least} to {most} {words}; this one has {len(many)}.", name)


def _texts(drawn: DrawnNetwork) -> Iterator[ValidationError]:
    yield from _text(drawn.title, NETWORK_NAME_MAX_CHARS, "title")
    for number, agent in enumerate(drawn.agents):
        at = ("agents", str(number))
        yield from _text(agent.name, NETWORK_NAME_MAX_CHARS, *at, "name")
        yield from _text(agent.responsibility, NETWORK_TEXT_MAX_CHARS, *at, "responsibility")
        yield from _text(agent.instructions, NETWORK_TEXT_MAX_CHARS, *at, "instructions")
        for place, skill in enumerate((agent.skills or ())[: NETWORK_SKILLS_MAX + 1]):
            yield from _text(skill, NETWORK_NAME_MAX_CHARS, *at, "skills", str(place))
        if len(agent.skills or ()) > NETWORK_SKILLS_MAX or len(agent.tools) > NETWORK_TOOLS_MAX:
            yield _problem("wrong_number", f"Agent {agent.key!r} has too many skills or tools.", *at)
        fallback = agent.policy.get("fallback")
        if isinstance(fallback, str):
            yield from _text(fallback, NETWORK_NAME_MAX_CHARS, *at, "policy", "fallback")
    for number, link in enumerate(drawn.links):
        yield from _text(link.label, NETWORK_NAME_MAX_CHARS, "links", str(number), "label")
        yield from _text(link.condition, NETWORK_TEXT_MAX_CHARS, "links", str(number), "condition")
    for number, tool in enumerate(drawn.tools):
        yield from _text(tool.name, NETWORK_NAME_MAX_CHARS, "tools", str(number), "name")
        yield from _text(tool.purpose, NETWORK_TEXT_MAX_CHARS, "tools", str(number), "purpose")


def _text(text: str | None, most: int, *path: str) -> Iterator[ValidationError]:
    """What is wrong with a text; None was not given."""
    if text is None:
        return
    if not text.strip() or len(text) > most:
        yield _problem("text_length", f"This text must have 1 to {most:,} characters.", *path)
        return
    try:
        check_storable(text, ("input", *path))
    except ValidationError as error:
        yield error


def _keys(drawn: DrawnNetwork) -> Iterator[ValidationError]:
    # Agents and tools share one name space: a failure's target may be either.
    nodes = [(("agents", str(n)), agent.key) for n, agent in enumerate(drawn.agents)]
    nodes += [(("tools", str(n)), tool.key) for n, tool in enumerate(drawn.tools)]
    links = [(("links", str(n)), link.key) for n, link in enumerate(drawn.links) if link.key is not None]
    for group in (nodes, links):
        seen: set[str] = set()
        for at, key in group:
            if KEY.fullmatch(key) is None:
                yield _problem("key", "A key has 1 to 64 letters, digits, _, . and -.", *at, "key")
            elif key in seen:
                yield _problem("unique", f"The key {key!r} is used more than once.", *at, "key")
            seen.add(key)


def _links(drawn: DrawnNetwork, agents: Collection[str]) -> Iterator[ValidationError]:
    twins = Counter((link.source, link.target, link.kind) for link in drawn.links)
    for number, link in enumerate(drawn.links):
        at = ("links", str(number))
        for side, key in (("source", link.source), ("target", link.target)):
            if key not in agents:
                yield _unknown(key, agents, *at, side)
        if link.source == link.target:
            yield _problem("self_link", f"The link leads from {link.source!r} to itself.", *at, "target")
        if link.probability is not None and not 0 <= link.probability <= 1:
            yield _problem("out_of_range", "A probability is 0 to 1.", *at, "probability")
        if twins[link.source, link.target, link.kind] > 1:
            message = f"There are several {link.kind} links from {link.source!r} to {link.target!r}."
            yield _problem("unique", message, *at)


def _points(drawn: DrawnNetwork, agents: Collection[str]) -> Iterator[ValidationError]:
    for name, keys in (("entry_points", drawn.entry_points), ("exit_points", drawn.exit_points)):
        for number, key in enumerate(keys):
            if key not in agents:
                yield _unknown(key, agents, name, str(number))


def _policies(drawn: DrawnNetwork) -> Iterator[ValidationError]:
    for number, agent in enumerate(drawn.agents):
        for name, (least, most) in _RANGES.items():
            value = agent.policy.get(name)
            if isinstance(value, int) and (value < least or (most is not None and value > most)):
                allowed = f"{least} or more" if most is None else f"{least} to {most:,}"
                message = f"{name} of agent {agent.key!r} is {value}; allowed: {allowed}."
                yield _problem("out_of_range", message, "agents", str(number), "policy", name)


def _tools(drawn: DrawnNetwork, kinds: Collection[str]) -> Iterator[ValidationError]:
    known = [tool.key for tool in drawn.tools]
    for number, agent in enumerate(drawn.agents):
        for place, key in enumerate(agent.tools):
            if key not in known:
                yield _unknown(key, known, "agents", str(number), "tool_keys", str(place), noun="tool")
    used = {key for agent in drawn.agents for key in agent.tools}
    for number, tool in enumerate(drawn.tools):
        if tool.key not in used:
            yield _problem("unused_tool", f"No agent uses the tool {tool.key!r}.", "tools", str(number), "key")
        if tool.kind not in kinds:
            yield _unknown(tool.kind, kinds, "tools", str(number), "kind", noun="kind of tool")


def _unreachable(drawn: DrawnNetwork) -> Iterator[ValidationError]:
    successors: dict[str, list[str]] = {agent.key: [] for agent in drawn.agents}
    for link in drawn.links:
        successors[link.source].append(link.target)
    reached = distances(successors, drawn.entry_points)
    for number, agent in enumerate(drawn.agents):
        if agent.key not in reached:
            yield _cut_off(number, agent)


def _cut_off(number: int, agent: DrawnAgent) -> ValidationError:
    message = f"Agent {agent.key!r} cannot be reached from the entry points along the links."
    return _problem("unreachable", message, "agents", str(number), "key")


def _unknown(key: str, known: Collection[str], *path: str, noun: str = "agent") -> ValidationError:
    names: Sequence[str] = sorted(known)
    shown = repr(key[:80]) if key.isprintable() else "this key"
    near = get_close_matches(key[:80], names, n=1)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names[:8])}{more}."
    return _problem("unknown_key", f"There is no {noun} {shown}: {hint}", *path)
