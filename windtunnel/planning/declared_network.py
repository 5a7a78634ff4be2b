"""From a declared network to a valid architecture.

What was not declared, as how long steps take and what can fail, comes from where it comes for designed networks.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind, NetworkAgent, Tool
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.networks import distances, validate
from windtunnel.knowledge import Access, Book, ToolEntry
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, FailuresAnswer, LinkAnswer
from windtunnel.planning.assembly import concepts_of, links_of, telemetry_of
from windtunnel.planning.declared import Declared, DeclaredTool
from windtunnel.planning.graph_repair import Network, repaired
from windtunnel.planning.naming import clean, slug, unique
from windtunnel.planning.offline.narrator import narrate
from windtunnel.planning.offline.warnings import warnings_of
from windtunnel.planning.predictions import predict
from windtunnel.planning.priors import policy_of, service_of, service_of_tool, tokens_of
from windtunnel.planning.reading.reading import read
from windtunnel.planning.shape import Shape
from windtunnel.planning.tool_kinds import kind_of_tool

TOOLS_FOR_EVERYBODY = 4
"""So many tools each agent can have; of more, each has some."""

_UNKNOWN_KINDS = {
    Access.COMPUTE: "calculator",
    Access.READ: "database",
    Access.WRITE: "database",
    Access.HUMAN: "human_task",
}
_PATTERNS = (
    (AgentRole.ORCHESTRATOR, "supervisor_workers"),
    (AgentRole.ROUTER, "router_triage"),
    (AgentRole.PLANNER, "planner_executor"),
    (AgentRole.CRITIC, "evaluator_optimizer"),
    (AgentRole.HUMAN, "human_approval_gate"),
    (AgentRole.GUARDRAIL, "guardrail"),
    (AgentRole.MEMORY, "blackboard"),
)


def architecture_of(
    declared: Declared, text: str, interpretation: Interpretation, questions: Sequence[str], book: Book
) -> Architecture:
    """The architecture. The same declaration and words always give the same one."""
    answer = _answer_of(declared)
    network = repaired(answer)
    warnings = [*warnings_of(read(text), interpretation.confidence), *network.warnings]
    agents, tools = _parts(declared, network, book)
    shape = Shape(
        agents=agents,
        links=links_of(network),
        tools=tools,
        patterns=patterns_of(network),
        confidence=interpretation.confidence,
        constraints=len(interpretation.constraints),
        concepts=concepts_of(text),
    )
    made = Architecture(
        summary=clean(declared.summary),
        patterns=tuple(shape.patterns),
        agents=tuple(agents),
        links=tuple(shape.links),
        tools=tuple(tools),
        failure_modes=predict(FailuresAnswer(failure_modes=[]), network, shape, book, warnings),
        entry_points=tuple(network.entry_points),
        exit_points=tuple(network.exit_points),
        assumptions=(*declared.assumptions, *interpretation.assumptions),
        clarifying_questions=tuple(questions),
        warnings=tuple(dict.fromkeys(warnings)),
        confidence=interpretation.confidence,
        telemetry=telemetry_of(narrate(answer), network),
    )
    if problems := validate(made):
        raise RuntimeError(f"The declared network makes an invalid architecture: {problems[0]}")
    return made


def _parts(declared: Declared, network: Network, book: Book) -> tuple[list[NetworkAgent], list[Tool]]:
    layers, users = network.layers(), _users(declared.tools, network)
    entries = {tool.id: _entry_of(tool, book) for tool in declared.tools}
    taken = {agent.key for agent in network.agents}
    keys: dict[str, str] = {}
    for tool in declared.tools:
        keys[tool.id] = unique(slug(tool.id), taken)
        taken.add(keys[tool.id])
    agents = []
    for agent in network.agents:
        role, own = AgentRole(agent.role), [id_ for id_, using in users.items() if agent.key in using]
        agents.append(
            NetworkAgent(
                key=agent.key,
                name=agent.name,
                role=role,
                responsibility=agent.responsibility,
                instructions=agent.instructions,
                skills=tuple(dict.fromkeys(entries[id_].skill for id_ in own)) or (agent.name,),
                tools=tuple(keys[id_] for id_ in own),
                policy=policy_of(role, [entries[id_] for id_ in own], 1),
                layer=layers[agent.key],
                service=service_of(role),
                tokens=tokens_of(role),
            )
        )
    return agents, [_tool(tool, keys[tool.id], users[tool.id], entries[tool.id]) for tool in declared.tools]


def _tool(tool: DeclaredTool, key: str, used_by: Sequence[str], entry: ToolEntry) -> Tool:
    return Tool(
        key=key,
        kind=entry.id,
        name=tool.id,
        purpose=clean(tool.purpose, 300),
        category=tool.category or entry.category,
        side_effects=entry.side_effects,
        data_sensitivity=tool.sensitivity,
        used_by=tuple(used_by),
        service=service_of_tool(entry),
    )


def _answer_of(declared: Declared) -> ArchitectAnswer:
    keys: dict[str, str] = {}
    for agent in declared.agents:
        keys[agent.id] = unique(slug(agent.id), keys.values())
    links = [
        LinkAnswer(
            source=keys[agent.id],
            target=keys[other],
            kind=LinkKind.HANDOFF.value,
            label="hands over",
            condition=None,
            probability=None,
        )
        for agent in declared.agents
        for other in agent.handoffs
        if other != agent.id
    ]
    return ArchitectAnswer(
        summary=declared.summary,
        patterns=[],
        agents=[
            AgentAnswer(
                key=keys[agent.id],
                name=agent.id,
                role=agent.role.value,
                responsibility=agent.responsibility,
                instructions=agent.instructions,
                concurrency=1,
            )
            for agent in declared.agents
        ],
        links=links,
        entry_points=_entries(list(keys.values()), links),
        exit_points=[],
    )


def _entries(keys: Sequence[str], links: Sequence[LinkAnswer]) -> list[str]:
    """To whom nobody hands over; of those who only hand over to each other, the first: work reaches everybody."""
    successors: dict[str, list[str]] = {key: [] for key in keys}
    for link in links:
        successors[link.source].append(link.target)
    targets = {link.target for link in links}
    found = [key for key in keys if key not in targets]
    for key in keys:
        if key not in distances(successors, found):
            found.append(key)
    return found


def _users(tools: Sequence[DeclaredTool], network: Network) -> dict[str, list[str]]:
    """Who uses which tool, of which nothing is declared: everybody who acts, or of many tools each in turn."""
    acting = [agent.key for agent in network.agents if agent.role not in {AgentRole.HUMAN, AgentRole.MEMORY}]
    users = acting or [agent.key for agent in network.agents]
    if len(tools) <= TOOLS_FOR_EVERYBODY:
        return {tool.id: users for tool in tools}
    return {tool.id: [key] for tool, key in zip(tools, cycle(users), strict=False)}


def _entry_of(tool: DeclaredTool, book: Book) -> ToolEntry:
    """The tool of the catalogue that it is like, as far as it is not declared otherwise."""
    kind = kind_of_tool(tool.words, book) or _UNKNOWN_KINDS[tool.access]
    return replace(book.tools[kind], access=tool.access, external=tool.external)


def patterns_of(network: Network) -> tuple[str, ...]:
    """The orchestration patterns that the roles in a network speak of."""
    if len(network.agents) == 1:
        return ("single_agent",)
    roles = {agent.role for agent in network.agents}
    return tuple(pattern for role, pattern in _PATTERNS if role in roles) or ("sequential_pipeline",)
