"""Our starting values for how long each kind of agent and tool takes and how it is protected; all are priors."""

import math
from collections.abc import Sequence

from windtunnel.domain.architectures import AgentRole, ResiliencePolicy, ServiceTime, TokenUse
from windtunnel.knowledge import Access, ToolEntry

_CV = 0.8
_MINUTE_MS = 60_000.0

_SERVICE_MS: dict[AgentRole, float] = {
    AgentRole.ORCHESTRATOR: 4_000,
    AgentRole.PLANNER: 6_000,
    AgentRole.ROUTER: 1_200,
    AgentRole.WORKER: 3_500,
    AgentRole.SPECIALIST: 4_500,
    AgentRole.CRITIC: 3_000,
    AgentRole.GUARDRAIL: 900,
    AgentRole.MEMORY: 150,
    AgentRole.HUMAN: 8 * _MINUTE_MS,
    AgentRole.INTEGRATION: 250,
}

_TOKENS: dict[AgentRole, TokenUse] = {
    AgentRole.ORCHESTRATOR: TokenUse(2_500, 500),
    AgentRole.PLANNER: TokenUse(1_800, 900),
    AgentRole.ROUTER: TokenUse(700, 40),
    AgentRole.WORKER: TokenUse(1_500, 450),
    AgentRole.SPECIALIST: TokenUse(2_000, 600),
    AgentRole.CRITIC: TokenUse(1_800, 250),
    AgentRole.GUARDRAIL: TokenUse(600, 30),
}

_FALLBACKS: dict[AgentRole, str] = {
    AgentRole.ORCHESTRATOR: "continue with the parts that are done",
    AgentRole.PLANNER: "use the last good plan",
    AgentRole.ROUTER: "default route",
    AgentRole.SPECIALIST: "hand over to a person",
    AgentRole.CRITIC: "keep the best draft so far",
    AgentRole.GUARDRAIL: "hold it for a person to check",
    AgentRole.MEMORY: "answer without it and say so",
    AgentRole.HUMAN: "escalate to a deputy",
    AgentRole.INTEGRATION: "queue for later",
}

HUMAN_DEADLINE_MS = 24 * 3_600_000


def service_of(role: AgentRole) -> ServiceTime:
    """The service time of one step without its tools."""
    return ServiceTime(mean_ms=_SERVICE_MS[role], cv=1.2 if role is AgentRole.HUMAN else _CV)


def tokens_of(role: AgentRole) -> TokenUse:
    """Mean tokens of one step; none for people, memories and plain integrations."""
    return _TOKENS.get(role, TokenUse())


def service_of_tool(entry: ToolEntry) -> ServiceTime:
    """The service time of one call: a lognormal with the catalogue's median."""
    mean = entry.latency_ms * math.sqrt(1 + _CV**2)
    return ServiceTime(mean_ms=round(mean, 1), cv=_CV)


def policy_of(role: AgentRole, tools: Sequence[ToolEntry], concurrency: int) -> ResiliencePolicy:
    """A policy that suits the role and the tools: time limits, attempts, back-off, breaker and fallback."""
    if role is AgentRole.HUMAN:
        return ResiliencePolicy(
            timeout_ms=HUMAN_DEADLINE_MS, max_attempts=1, fallback=_FALLBACKS[role], concurrency=concurrency
        )
    external = any(tool.external for tool in tools)
    writes = any(tool.side_effects for tool in tools)
    expected = _SERVICE_MS[role] + sum(
        service_of_tool(tool).mean_ms for tool in tools if tool.access is not Access.HUMAN
    )
    return ResiliencePolicy(
        timeout_ms=max(5_000, 5_000 * math.ceil(5 * expected / 5_000)),
        # A write may have happened although its answer was lost: one repetition, not two.
        max_attempts=2 if writes else 3,
        backoff_ms=1_000 if writes else 500,
        circuit_breaker=external,
        fallback=_FALLBACKS.get(role),
        concurrency=concurrency,
    )
