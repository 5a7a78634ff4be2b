"""From the five answers to one valid architecture, with everything that was mapped or dropped named in warnings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from windtunnel.domain.architectures import (
    AgentTelemetry,
    Architecture,
    Link,
    LinkKind,
    NetworkAgent,
    PlanningWarning,
    Telemetry,
    Tool,
)
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import Plan
from windtunnel.knowledge import Book
from windtunnel.planning.answers import Answers, InterpreterAnswer, MapperAnswer, NarratorAnswer
from windtunnel.planning.graph_repair import Network, repaired, role_of
from windtunnel.planning.naming import clean, slug, unique
from windtunnel.planning.offline.mapper import map_tools
from windtunnel.planning.predictions import predict
from windtunnel.planning.priors import policy_of, service_of, service_of_tool, tokens_of
from windtunnel.planning.reading.reading import read
from windtunnel.planning.shape import Shape
from windtunnel.planning.tool_kinds import kind_of_tool

_PLACEHOLDERS = ("task", "duration_ms", "status")
_PLAIN_LOG = "{task} took {duration_ms} ms: {status}"


@dataclass(slots=True)
class _Parts:
    agents: list[NetworkAgent]
    links: list[Link]
    tools: list[Tool]


def assemble(text: str, answers: Answers, book: Book, warnings: Sequence[PlanningWarning]) -> Plan:
    """One plan. The same answers give the same plan; the architecture is valid whatever they contain."""
    found = list(warnings)
    network = repaired(answers.architect)
    found += network.warnings
    patterns = _patterns(answers.architect.patterns, book, found)
    parts = _parts(text, answers, network, book, found)
    interpretation = interpretation_of(answers.interpreter)
    shape = Shape(
        agents=parts.agents,
        links=parts.links,
        tools=parts.tools,
        patterns=patterns,
        confidence=interpretation.confidence,
        constraints=len(interpretation.constraints),
        concepts=concepts_of(text),
    )
    architecture = Architecture(
        summary=clean(answers.architect.summary),
        patterns=patterns,
        agents=tuple(parts.agents),
        links=tuple(parts.links),
        tools=tuple(parts.tools),
        failure_modes=predict(answers.failures, network, shape, book, found),
        entry_points=tuple(network.entry_points),
        exit_points=tuple(network.exit_points),
        assumptions=interpretation.assumptions,
        clarifying_questions=_lines(answers.interpreter.clarifying_questions, 5),
        warnings=tuple(_once(found)),
        confidence=interpretation.confidence,
        telemetry=telemetry_of(answers.narrator, network),
    )
    problems = validate(architecture)
    if problems:
        raise RuntimeError(f"The planner made an invalid architecture: {problems[0]}")
    return Plan(interpretation, architecture)


def concepts_of(text: str) -> frozenset[str]:
    """The concepts and tool ids that the scenario speaks of, as the book's triggers name them."""
    reading = read(text)
    return reading.found("concepts") | reading.found("tools")


def interpretation_of(answer: InterpreterAnswer) -> Interpretation:
    """What was understood, in bounds."""
    sure = 0.0 if math.isnan(answer.confidence) else answer.confidence
    return Interpretation(
        goal=clean(answer.goal),
        domain=clean(answer.domain, 80) or "general",
        actors=_lines(answer.actors, 20),
        inputs=_lines(answer.inputs, 10),
        outputs=_lines(answer.outputs, 10),
        constraints=_lines(answer.constraints, 12),
        assumptions=_lines(answer.assumptions, 12),
        confidence=round(min(1.0, max(0.0, sure)), 3),
    )


def _lines(texts: Sequence[str], limit: int) -> tuple[str, ...]:
    return tuple(line for text in dict.fromkeys(texts) if (line := clean(text, 300)))[:limit]


def _patterns(names: Sequence[str], book: Book, warnings: list[PlanningWarning]) -> tuple[str, ...]:
    ids = {alias: pattern.id for pattern in book.patterns.values() for alias in _aliases(pattern.id, pattern.name)}
    ids |= {slug(alias): pattern.id for pattern in book.patterns.values() for alias in pattern.aliases}
    known = list(dict.fromkeys(ids[slug(name)] for name in names if slug(name) in ids))
    unknown = [clean(name, 40) for name in names if slug(name) not in ids]
    if unknown:
        warnings.append(
            PlanningWarning("UNKNOWN_PATTERN", f"Not in the catalogue and left out: {', '.join(unknown[:5])}.")
        )
    return tuple(known) or ("single_agent",)


def _aliases(identifier: str, name: str) -> tuple[str, ...]:
    return identifier, slug(name)


def _parts(text: str, answers: Answers, network: Network, book: Book, warnings: list[PlanningWarning]) -> _Parts:
    users = _tool_users(answers.mapper, network, book, warnings)
    if not users:
        users = _tool_users(map_tools(text, answers.architect, book), network, book, [])
    purposes = {kind: tool.purpose for tool in answers.mapper.tools if (kind := kind_of_tool(tool.kind, book))}
    agent_keys = {agent.key for agent in network.agents}
    tools: dict[str, Tool] = {}
    for kind, keys in users.items():
        entry = book.tools[kind]
        tools[kind] = Tool(
            key=unique(f"tool_{kind}", agent_keys),
            kind=kind,
            name=entry.name,
            purpose=clean(purposes.get(kind, "")) or entry.purpose,
            category=entry.category,
            side_effects=entry.side_effects,
            data_sensitivity=entry.data_sensitivity,
            used_by=tuple(keys),
            service=service_of_tool(entry),
        )
    layers = network.layers()
    skills = {key: skill.skills for skill in answers.mapper.skills if (key := network.key(skill.agent))}
    agents = []
    for agent in network.agents:
        role = role_of(agent.role)
        kinds = [kind for kind, keys in users.items() if agent.key in keys]
        known = _lines(skills.get(agent.key, ()), 8) or tuple(book.tools[kind].skill for kind in kinds)
        agents.append(
            NetworkAgent(
                key=agent.key,
                name=agent.name,
                role=role,
                responsibility=agent.responsibility,
                instructions=agent.instructions,
                skills=known or (agent.name,),
                tools=tuple(tools[kind].key for kind in kinds),
                policy=policy_of(role, [book.tools[kind] for kind in kinds], agent.concurrency),
                layer=layers[agent.key],
                service=service_of(role),
                tokens=tokens_of(role),
            )
        )
    return _Parts(agents, links_of(network), list(tools.values()))


def _tool_users(
    answer: MapperAnswer, network: Network, book: Book, warnings: list[PlanningWarning]
) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    unknown = []
    for tool in answer.tools:
        kind = kind_of_tool(tool.kind, book) or kind_of_tool(tool.purpose, book)
        keys = network.keys(tool.used_by)
        if kind is None:
            unknown.append(clean(tool.kind, 40))
        elif keys:
            users[kind] = list(dict.fromkeys([*users.get(kind, ()), *keys]))
    if unknown:
        warnings.append(
            PlanningWarning("UNKNOWN_TOOL", f"Not in the tool catalogue and left out: {', '.join(unknown[:5])}.")
        )
    return users


def links_of(network: Network) -> list[Link]:
    """The links of the network, each with a key of its own."""
    made: dict[str, Link] = {}
    for link in network.links:
        key = unique(f"{link.source}__{link.target}", made)
        made[key] = Link(
            key, link.source, link.target, LinkKind(link.kind), link.label, link.condition, link.probability
        )
    return list(made.values())


def telemetry_of(answer: NarratorAnswer, network: Network) -> Telemetry:
    """What to observe of each agent of the network; plainly of those that the answer leaves out."""
    told: Mapping[str, AgentTelemetry] = {
        key: AgentTelemetry(
            agent_key=key,
            log=_log(item.log) or _PLAIN_LOG,
            metric=slug(item.metric) or f"{key}_completed",
            unit=clean(item.unit, 20) or "{item}",
        )
        for item in answer.agents
        if (key := network.key(item.agent)) is not None
    }
    plain = AgentTelemetry("", _PLAIN_LOG, "", "{item}")
    agents = tuple(
        told.get(agent.key) or replace(plain, agent_key=agent.key, metric=f"{agent.key}_completed")
        for agent in network.agents
    )
    return Telemetry(agents=agents, opening=clean(answer.opening))


def _log(sentence: str) -> str:
    """A log sentence with no braces but those of the three placeholders."""
    marked = clean(sentence, 200)
    for number, name in enumerate(_PLACEHOLDERS):
        marked = marked.replace(f"{{{name}}}", f"\0{number}\0")
    marked = marked.replace("{", "(").replace("}", ")")
    for number, name in enumerate(_PLACEHOLDERS):
        marked = marked.replace(f"\0{number}\0", f"{{{name}}}")
    return marked


def _once(warnings: Sequence[PlanningWarning]) -> list[PlanningWarning]:
    return list({(warning.code, warning.message): warning for warning in warnings}.values())
