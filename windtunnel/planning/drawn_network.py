"""From a network drawn by hand to a valid architecture.

What was not given comes from the architecture it was edited from, where that has it, and else from our priors.
"""

from collections.abc import Mapping
from dataclasses import replace

from windtunnel.domain.architectures import Architecture, Link, NetworkAgent, Tool
from windtunnel.domain.calibrations import Calibration
from windtunnel.domain.drawing_rules import problems_of
from windtunnel.domain.drawn_networks import DrawnAgent, DrawnNetwork, DrawnTool
from windtunnel.domain.errors import RefusedError, ValidationError
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.networks import validate
from windtunnel.knowledge import ToolEntry, load_book
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, FailuresAnswer, LinkAnswer
from windtunnel.planning.assembly import concepts_of, telemetry_of
from windtunnel.planning.declared_network import patterns_of
from windtunnel.planning.graph_repair import Network
from windtunnel.planning.naming import unique
from windtunnel.planning.offline.narrator import narrate
from windtunnel.planning.predictions import predict
from windtunnel.planning.priors import policy_of, service_of, service_of_tool, tokens_of
from windtunnel.planning.shape import Shape

CALIBRATED = "calibrated"
"""How the provenance of a measured failure mode begins."""
_MAY_BE_NONE = frozenset({"timeout_ms", "fallback"})


def architecture_of(drawn: DrawnNetwork, origin: Architecture | None) -> Architecture:
    """The architecture, with the failure modes that it can meet. Raises RefusedError for all that is wrong."""
    book = load_book()
    if problems := problems_of(drawn, book.tools):
        raise RefusedError(problems)
    before = {agent.key: agent for agent in origin.agents} if origin else {}
    tools_before = {tool.key: tool for tool in origin.tools} if origin else {}
    tools = [_tool(tool, drawn, tools_before.get(tool.key), book.tools[tool.kind]) for tool in drawn.tools]
    entries = {tool.key: book.tools[tool.kind] for tool in drawn.tools}
    network = _network(drawn)
    layers = network.layers()
    agents = [_agent(agent, before.get(agent.key), entries, layers[agent.key]) for agent in drawn.agents]
    shape = Shape(
        agents=agents,
        links=_links(drawn, origin),
        tools=tools,
        patterns=patterns_of(network),
        concepts=concepts_of(drawn.title),
    )
    parts: list[NetworkAgent | Tool] = [*agents, *tools]
    same = {each.key for each in parts if _timed_as(each, before, tools_before)}
    calibrations = tuple(each for each in (origin.calibrations if origin else ()) if each.key in same)
    modes = predict(FailuresAnswer(failure_modes=[]), network, shape, book, [])
    made = Architecture(
        summary=drawn.title.strip(),
        patterns=tuple(shape.patterns),
        agents=tuple(agents),
        links=tuple(shape.links),
        tools=tuple(tools),
        failure_modes=(*modes, *_measured(origin, calibrations, modes)),
        entry_points=tuple(dict.fromkeys(drawn.entry_points)),
        exit_points=tuple(dict.fromkeys(drawn.exit_points)),
        assumptions=origin.assumptions if origin else (),
        telemetry=telemetry_of(narrate(_answer(network, shape)), network),
        calibrations=calibrations,
    )
    if problems_left := validate(made):
        raise RefusedError([ValidationError(each, rule="invalid_network", path=("input",)) for each in problems_left])
    return made


def _agent(
    drawn: DrawnAgent, before: NetworkAgent | None, entries: Mapping[str, ToolEntry], layer: int
) -> NetworkAgent:
    """With what it was before, as long as its role is the same."""
    known = before if before is not None and before.role is drawn.role else None
    tools = tuple(dict.fromkeys(drawn.tools))
    used = [entries[key] for key in tools]
    policy = known.policy if known else policy_of(drawn.role, used, 1)
    given = {name: value for name, value in drawn.policy.items() if value is not None or name in _MAY_BE_NONE}
    skills = drawn.skills if drawn.skills is not None else known.skills if known else ()
    return NetworkAgent(
        key=drawn.key,
        name=drawn.name.strip(),
        role=drawn.role,
        responsibility=drawn.responsibility.strip(),
        instructions=drawn.instructions or (known.instructions if known else drawn.responsibility.strip()),
        skills=tuple(dict.fromkeys(skills or (entry.skill for entry in used))) or (drawn.name.strip(),),
        tools=tools,
        policy=replace(policy, **given),  # type: ignore[arg-type]  # checked where the input is read
        layer=layer,
        service=known.service if known else service_of(drawn.role),
        tokens=known.tokens if known else tokens_of(drawn.role),
    )


def _tool(drawn: DrawnTool, network: DrawnNetwork, before: Tool | None, entry: ToolEntry) -> Tool:
    """With what it was before, as long as it is of the same kind."""
    known = before if before is not None and before.kind == drawn.kind else None
    sensitivity = known.data_sensitivity if known else entry.data_sensitivity
    effects = known.side_effects if known else entry.side_effects
    return Tool(
        key=drawn.key,
        kind=drawn.kind,
        name=drawn.name.strip(),
        purpose=drawn.purpose or (known.purpose if known else entry.purpose),
        category=known.category if known else entry.category,
        side_effects=effects if drawn.side_effects is None else drawn.side_effects,
        data_sensitivity=drawn.data_sensitivity or sensitivity,
        used_by=tuple(agent.key for agent in network.agents if drawn.key in agent.tools),
        service=known.service if known else service_of_tool(entry),
    )


def _links(drawn: DrawnNetwork, origin: Architecture | None) -> list[Link]:
    """Each with a key of its own, and the label that it had before."""
    labels = {(link.source, link.target, link.kind): link.label for link in origin.links} if origin else {}
    taken = {link.key for link in drawn.links if link.key is not None}
    made = []
    for link in drawn.links:
        key = link.key
        if key is None:
            key = unique(f"{link.source}__{link.target}", taken)
            taken.add(key)
        known = labels.get((link.source, link.target, link.kind))
        label = link.label or known or link.kind.replace("_", " ").lower()
        made.append(Link(key, link.source, link.target, link.kind, label, link.condition, link.probability))
    return made


def _network(drawn: DrawnNetwork) -> Network:
    """As whoever predicts and narrates wants it."""
    return Network(
        agents=[
            AgentAnswer(
                key=agent.key,
                name=agent.name,
                role=agent.role.value,
                responsibility=agent.responsibility,
                instructions=agent.instructions or agent.responsibility,
                concurrency=1,
            )
            for agent in drawn.agents
        ],
        links=[
            LinkAnswer(
                source=link.source,
                target=link.target,
                kind=link.kind.value,
                label=link.label or "",
                condition=link.condition,
                probability=link.probability,
            )
            for link in drawn.links
        ],
        entry_points=list(dict.fromkeys(drawn.entry_points)),
        exit_points=list(dict.fromkeys(drawn.exit_points)),
        names={agent.key: agent.key for agent in drawn.agents},
    )


def _answer(network: Network, shape: Shape) -> ArchitectAnswer:
    return ArchitectAnswer(
        summary="",
        patterns=list(shape.patterns),
        agents=network.agents,
        links=network.links,
        entry_points=network.entry_points,
        exit_points=network.exit_points,
    )


def _timed_as(made: NetworkAgent | Tool, agents: Mapping[str, NetworkAgent], tools: Mapping[str, Tool]) -> bool:
    """Whether its service time is that of what it was before: also what was measured of that holds for it."""
    before = agents.get(made.key) if isinstance(made, NetworkAgent) else tools.get(made.key)
    return before is not None and before.service == made.service


def _measured(
    origin: Architecture | None, calibrations: tuple[Calibration, ...], modes: tuple[FailureMode, ...]
) -> list[FailureMode]:
    """The failure modes that were measured at parts that are as they were."""
    if origin is None:
        return []
    same, taken = {each.key for each in calibrations}, {mode.key for mode in modes}
    kept = []
    for mode in origin.failure_modes:
        at = {mode.target_tool} if mode.target_tool else set(mode.targets)
        if mode.provenance.startswith(CALIBRATED) and at <= same:
            kept.append(replace(mode, key=unique(mode.key, taken)))
            taken.add(kept[-1].key)
    return kept
