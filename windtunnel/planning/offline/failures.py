"""The Failure Simulation Agent offline: which modes of the book this network can meet, and why."""

import math

from windtunnel.domain.architectures import AgentRole
from windtunnel.domain.failures import Severity
from windtunnel.knowledge import Book
from windtunnel.planning.answers import FailureAnswer, FailuresAnswer
from windtunnel.planning.failure_model import Expectation, expectations
from windtunnel.planning.offline.wording import reason
from windtunnel.planning.shape import Shape

MODES_MIN, MODES_MAX = 4, 12
_WEIGHTS = {Severity.LOW: 1.0, Severity.MEDIUM: 1.5, Severity.HIGH: 2.0, Severity.CRITICAL: 2.5}
_FROM_PATTERN = 1.5
_NEEDS: dict[str, frozenset[str]] = {
    "human_": frozenset({"human"}),
    "asi09": frozenset({"human"}),
    "rag_": frozenset({"vector_search", "legal_search", "web_search"}),
    "asi05": frozenset({"code_exec", "ci_cd", "code_repo"}),
    "dist_lost_update": frozenset({"memory", "write"}),
    "memory_growth": frozenset({"memory"}),
    "tool_wrong_side_effect": frozenset({"write"}),
    "tool_policy_violation": frozenset({"write"}),
    "dist_duplicate_delivery": frozenset({"write"}),
}


def choose_failures(shape: Shape, book: Book) -> FailuresAnswer:
    """The canonical modes that matter most here, each with the reason drawn from this scenario."""
    facts = _facts(shape)
    added = {
        book.definition(code).canonical
        for pattern in shape.patterns
        if pattern in book.patterns
        for code in book.patterns[pattern].adds_failure_modes
    }
    weighed = [
        one
        for code, one in expectations(book, shape).items()
        if all(not code.startswith(prefix) or needs & facts for prefix, needs in _NEEDS.items())
    ]
    ranked = sorted(weighed, key=lambda one: (-_rank(one, added), one.definition.code))
    relevant = [one for one in ranked if one.hits or one.definition.code in added]
    count = max(MODES_MIN, min(MODES_MAX, 3 + len(shape.agents)))
    chosen = relevant[:count]
    chosen += [one for one in ranked if one not in chosen][: max(0, MODES_MIN - len(chosen))]
    return FailuresAnswer(failure_modes=[_answer(one, shape, one.definition.code in added) for one in chosen])


def _rank(one: Expectation, added: set[str]) -> float:
    relevance = one.boost + (_FROM_PATTERN if one.definition.code in added else 0)
    return relevance * _WEIGHTS[one.severity] * math.sqrt(math.sqrt(one.probability))


def _facts(shape: Shape) -> frozenset[str]:
    roles = {agent.role for agent in shape.agents}
    found = {tool.kind for tool in shape.tools}
    found |= {"human"} if AgentRole.HUMAN in roles else set()
    found |= {"memory"} if AgentRole.MEMORY in roles or "remember" in shape.concepts else set()
    found |= {"write"} if any(tool.side_effects for tool in shape.tools) else set()
    return frozenset(found)


def _answer(one: Expectation, shape: Shape, from_pattern: bool) -> FailureAnswer:
    names = [agent.name for agent in shape.agents if agent.key in one.targets]
    where = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    reasons = list(dict.fromkeys(reason(hit) for hit in one.hits))[:3]
    if reasons:
        why = " and ".join([", ".join(reasons[:-1]), reasons[-1]] if len(reasons) > 1 else reasons)
    elif from_pattern:
        why = "networks of this kind are known for it"
    else:
        why = "any network of this kind can meet it"
    tool = next((tool.kind for tool in shape.tools if tool.key == one.tool), None)
    return FailureAnswer(
        code=one.definition.code,
        targets=list(one.targets),
        tool=tool,
        rationale=f"{one.definition.title} can hit {where}: {why}.",
        mitigation=one.definition.mitigations[0],
        detection=one.definition.signals[0],
    )
