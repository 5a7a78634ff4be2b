"""The five offline answers behind one door: each takes its brief and gives its answer."""

from windtunnel.domain.architectures import Link, NetworkAgent, Tool
from windtunnel.knowledge import Book, load_book
from windtunnel.planning.answers import (
    ArchitectAnswer,
    ArchitectBrief,
    FailuresAnswer,
    FailuresBrief,
    InterpreterAnswer,
    InterpreterBrief,
    MapperAnswer,
    MapperBrief,
    NarratorAnswer,
    NarratorBrief,
)
from windtunnel.planning.graph_repair import kind_of, role_of
from windtunnel.planning.offline.architect import design
from windtunnel.planning.offline.failures import choose_failures
from windtunnel.planning.offline.interpreter import interpret
from windtunnel.planning.offline.mapper import map_tools
from windtunnel.planning.offline.narrator import narrate
from windtunnel.planning.priors import policy_of, service_of, service_of_tool, tokens_of
from windtunnel.planning.reading.reading import read
from windtunnel.planning.shape import Shape


def answer_interpreter(brief: InterpreterBrief) -> InterpreterAnswer:
    """The Scenario Interpreter's answer."""
    return interpret(brief.scenario)


def answer_architect(brief: ArchitectBrief) -> ArchitectAnswer:
    """The Architecture Planner's answer."""
    return design(brief.scenario)


def answer_mapper(brief: MapperBrief) -> MapperAnswer:
    """The Tool and Skill Mapper's answer."""
    return map_tools(brief.scenario, brief.network, load_book())


def answer_failures(brief: FailuresBrief) -> FailuresAnswer:
    """The Failure Simulation Agent's answer; it finds the tools itself, since it may work beside the mapper."""
    book = load_book()
    tools = map_tools(brief.scenario, brief.network, book)
    return choose_failures(_shape(brief.scenario, brief.network, tools, book), book)


def answer_narrator(brief: NarratorBrief) -> NarratorAnswer:
    """The Observability and Narrative Agent's answer."""
    return narrate(brief.network)


def _shape(text: str, network: ArchitectAnswer, mapped: MapperAnswer, book: Book) -> Shape:
    known = {agent.key for agent in network.agents}
    tools = [_tool(book, tool.kind, [key for key in tool.used_by if key in known]) for tool in mapped.tools]
    agents = []
    for agent in network.agents:
        role = role_of(agent.role)
        kinds = [tool.kind for tool in tools if agent.key in tool.used_by]
        policy = policy_of(role, [book.tools[kind] for kind in kinds], max(1, agent.concurrency))
        agents.append(
            NetworkAgent(
                key=agent.key,
                name=agent.name,
                role=role,
                responsibility=agent.responsibility,
                instructions=agent.instructions,
                skills=(),
                tools=tuple(kinds),
                policy=policy,
                layer=0,
                service=service_of(role),
                tokens=tokens_of(role),
            )
        )
    links = [
        Link("", link.source, link.target, kind_of(link.kind), link.label, None, link.probability)
        for link in network.links
        if link.source in known and link.target in known
    ]
    reading = read(text)
    return Shape(
        agents=agents,
        links=links,
        tools=tools,
        patterns=network.patterns,
        concepts=reading.found("concepts") | reading.found("tools"),
    )


def _tool(book: Book, kind: str, used_by: list[str]) -> Tool:
    entry = book.tools[kind]
    return Tool(
        key=kind,
        kind=kind,
        name=entry.name,
        purpose=entry.purpose,
        category=entry.category,
        side_effects=entry.side_effects,
        data_sensitivity=entry.data_sensitivity,
        used_by=tuple(used_by),
        service=service_of_tool(entry),
    )
