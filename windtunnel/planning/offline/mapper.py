"""The Tool and Skill Mapper offline: tools from the words of each agent's part, skills from its tools."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from windtunnel.domain.architectures import AgentRole
from windtunnel.knowledge import Book
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, MapperAnswer, SkillAnswer, ToolAnswer
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


def map_tools(text: str, network: ArchitectAnswer, book: Book) -> MapperAnswer:
    """Tools of the catalogue for the agents of a network, at least one in all; and what each agent knows."""
    reading = read(text)
    users: dict[str, list[str]] = {}
    for agent in network.agents:
        for kind in _tools_of(agent, reading):
            users.setdefault(kind, []).append(agent.key)
    _give_rest(users, network, reading)
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


def _tools_of(agent: AgentAnswer, reading: Reading) -> list[str]:
    if agent.role == AgentRole.HUMAN:
        return ["human_task"]
    own = _part(f"{agent.name}. {agent.responsibility}")
    scores: dict[str, float] = {}
    for clause in own.clauses:
        for hit in clause.hits:
            if hit.section == "tools" and hit.concept != "human_task":
                scores[hit.concept] = scores.get(hit.concept, 0) + 1 + 0.1 * reading.count("tools", hit.concept)
        for action in clause.deeds[:1]:
            kind = _BY_ACTION.get(action.concept)
            if kind is not None:
                scores[kind] = scores.get(kind, 0) + 0.9
    if not scores and agent.role in _BY_ROLE:
        scores[_BY_ROLE[agent.role]] = 1
    return sorted(scores, key=lambda kind: -scores[kind])[:_PER_AGENT]


@lru_cache(maxsize=128)
def _part(text: str) -> Reading:
    """An agent's part, read once for the mapper and the failure agent."""
    return look(text)


def _give_rest(users: dict[str, list[str]], network: ArchitectAnswer, reading: Reading) -> None:
    """Tools that the text speaks of outside of every agent's part go to the agent whose part stands nearest."""
    workers = [agent for agent in network.agents if agent.role not in {AgentRole.HUMAN, AgentRole.MEMORY}]
    people = [agent.key for agent in network.agents if agent.role == AgentRole.HUMAN]
    owners = [_owner(clause, workers) for clause in reading.clauses]
    for kind in sorted(reading.found("tools") - users.keys(), key=lambda kind: -reading.count("tools", kind)):
        if kind == "human_task":
            if people:
                users[kind] = people
            continue
        at = next(index for index, clause in enumerate(reading.clauses) if kind in clause.concepts("tools"))
        near = sorted(range(len(owners)), key=lambda index: (abs(index - at), index > at))
        key = next((owners[index] for index in near if owners[index] is not None), None)
        if key is not None and sum(key in keys for keys in users.values()) <= _PER_AGENT:
            users[kind] = [key]


def _owner(clause: Clause, agents: Sequence[AgentAnswer]) -> str | None:
    text = clean(clause.text)
    return next((agent.key for agent in agents if text and text in agent.responsibility), None)


def _skills(agent: AgentAnswer, users: Mapping[str, list[str]], book: Book) -> list[str]:
    found = [book.tools[kind].skill for kind, keys in users.items() if agent.key in keys]
    return found or [clean(agent.responsibility, 60)]
