"""The Tool and Skill Mapper offline: tools from the words of each agent's part and of the text, skills from tools."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from windtunnel.domain.architectures import AgentRole
from windtunnel.knowledge import Book
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, MapperAnswer, SkillAnswer, ToolAnswer
from windtunnel.planning.classifier.tools import Guess, guess_tools
from windtunnel.planning.naming import clean
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading, look, read

_PER_AGENT = 3
_BY_ACTION: dict[str, str] = {
    "pay": "payments", "order": "orders", "book": "booking", "schedule": "calendar", "notify": "messaging",
    "publish": "cms_publish", "deploy": "ci_cd", "translate": "translation", "run": "code_exec", "code": "code_repo",
    "calculate": "calculator", "extract": "document_parser", "ship": "logistics", "search": "vector_search",
    "monitor": "monitoring", "update": "database", "collect": "database", "read": "database",
}  # fmt: skip
_BY_ROLE: dict[str, str] = {AgentRole.MEMORY: "database", AgentRole.GUARDRAIL: "moderation"}
_DEFAULT = "database"
_BELIEVED = 0.06
"""A word that names a tool counts when the classifier gives the tool at least this: not every table is a database."""


def map_tools(text: str, network: ArchitectAnswer, book: Book) -> MapperAnswer:
    """Tools of the catalogue for the agents of a network, at least one in all; and what each agent knows."""
    reading = read(text)
    guess = guess_tools(reading)
    users: dict[str, list[str]] = {}
    for agent in network.agents:
        for kind in _tools_of(agent, reading, guess):
            users.setdefault(kind, []).append(agent.key)
    _give_rest(users, network, reading, guess)
    if not users:
        agent = next((agent for agent in network.agents if agent.role != AgentRole.HUMAN), network.agents[0])
        users[_DEFAULT] = [agent.key]
    names = {agent.key: agent.name for agent in network.agents}
    tools = [
        ToolAnswer(
            kind=kind,
            purpose=clean(f"{book.tools[kind].purpose} for {', '.join(names[key] for key in keys[:3])}."),
            used_by=keys,
        )
        for kind, keys in users.items()
    ]
    skills = [SkillAnswer(agent=agent.key, skills=_skills(agent, users, book)) for agent in network.agents]
    return MapperAnswer(tools=tools, skills=skills)


def _tools_of(agent: AgentAnswer, reading: Reading, guess: Guess) -> list[str]:
    if agent.role == AgentRole.HUMAN:
        return ["human_task"]
    own = _part(f"{agent.name}. {agent.responsibility}")
    kinds: set[str] = set()
    for clause in own.clauses:
        kinds |= clause.concepts("tools") - {"human_task"}
        kinds |= {_BY_ACTION[deed.concept] for deed in clause.deeds[:1] if deed.concept in _BY_ACTION}
    if not kinds and agent.role in _BY_ROLE:
        return [_BY_ROLE[agent.role]]
    believed = [kind for kind in kinds if _is_believed(kind, reading, guess)]
    return sorted(believed, key=lambda kind: (reading.count("products", kind) == 0, -guess.scores[kind], kind))[
        :_PER_AGENT
    ]


def _is_believed(kind: str, reading: Reading, guess: Guess) -> bool:
    return guess.scores[kind] >= _BELIEVED or reading.count("products", kind) > 0


@lru_cache(maxsize=128)
def _part(text: str) -> Reading:
    """An agent's part, read once for the mapper and the failure agent."""
    return look(text)


def _give_rest(users: dict[str, list[str]], network: ArchitectAnswer, reading: Reading, guess: Guess) -> None:
    """Tools that the text speaks of outside of every agent's part go to the agent whose part stands nearest, those that
    texts like this one need to the agent that has the fewest."""
    workers = [agent for agent in network.agents if agent.role not in {AgentRole.HUMAN, AgentRole.MEMORY}]
    people = [agent.key for agent in network.agents if agent.role == AgentRole.HUMAN]
    owners = [_owner(clause, workers) for clause in reading.clauses]
    found = reading.found("tools")
    for kind in sorted({*found, *guess.told} - users.keys(), key=lambda kind: (-guess.scores[kind], kind)):
        if kind == "human_task":
            if people:
                users[kind] = people
            continue
        if kind not in guess.told and not _is_believed(kind, reading, guess):
            continue
        busy = {agent.key: sum(agent.key in keys for keys in users.values()) for agent in workers}
        key = _nearest(kind, reading, owners) or min(busy, key=lambda key: busy[key], default=None)
        if key is not None and busy[key] <= _PER_AGENT:
            users[kind] = [key]


def _nearest(kind: str, reading: Reading, owners: Sequence[str | None]) -> str | None:
    """The agent whose part stands nearest to the first clause that speaks of the tool."""
    at = next((index for index, clause in enumerate(reading.clauses) if kind in clause.concepts("tools")), None)
    if at is None:
        return None
    near = sorted(range(len(owners)), key=lambda index: (abs(index - at), index > at))
    return next((owners[index] for index in near if owners[index] is not None), None)


def _owner(clause: Clause, agents: Sequence[AgentAnswer]) -> str | None:
    text = clean(clause.text)
    return next((agent.key for agent in agents if text and text in agent.responsibility), None)


def _skills(agent: AgentAnswer, users: Mapping[str, list[str]], book: Book) -> list[str]:
    found = [book.tools[kind].skill for kind, keys in users.items() if agent.key in keys]
    return found or [clean(agent.responsibility, 60)]
