"""The rows of a report's tables, from an architecture and the story of its run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from windtunnel.domain.architectures import Architecture, NetworkAgent, ResiliencePolicy, Tool
from windtunnel.domain.failures import FailureMode, Severity
from windtunnel.drawing.story import Story, Strike
from windtunnel.drawing.words import SEVERITIES, duration


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A failure mode and what became of it in the run; `mode` is None for one that was not planned."""

    title: str
    code: str
    severity: Severity
    mode: FailureMode | None
    where: str
    strikes: Sequence[Strike]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent and what it did in the run."""

    agent: NetworkAgent
    tools: str
    policy: str
    steps: int
    calls: int
    busy: float
    mean_ms: float


def failure_rows(architecture: Architecture, story: Story, titles: Mapping[str, str]) -> list[FailureRow]:
    """Those that struck first, then the most severe and most probable. `titles` names failure modes by code."""
    names = _names(architecture)
    struck: dict[str, list[Strike]] = {}
    for strike in story.strikes:
        struck.setdefault(strike.failure_key, []).append(strike)
    rows = [
        FailureRow(
            titles.get(mode.code) or humanised(mode.code),
            mode.code,
            mode.severity,
            mode,
            ", ".join(names.get(key, key) for key in (*mode.targets, *filter(None, (mode.target_tool,)))),
            struck.pop(mode.key, []),
        )
        for mode in architecture.failure_modes
    ]
    rows += [
        FailureRow(
            titles.get(met[0].code) or humanised(met[0].code),
            met[0].code,
            met[0].severity,
            None,
            ", ".join(dict.fromkeys(names.get(strike.agent_key, strike.agent_key) for strike in met)),
            met,
        )
        for met in struck.values()
    ]
    return sorted(
        rows,
        key=lambda row: (
            not row.strikes,
            SEVERITIES.index(row.severity),
            -(row.mode.probability if row.mode else 1.0),
        ),
    )


def agent_rows(architecture: Architecture, story: Story) -> list[AgentRow]:
    """One row per agent, nearer to the entry points first."""
    names = _names(architecture)
    busy = story.busy({agent.key: agent.policy.concurrency for agent in architecture.agents})
    rows: list[AgentRow] = []
    for agent in sorted(architecture.agents, key=lambda agent: agent.layer):
        steps = [step for step in story.steps if step.agent_key == agent.key]
        mean = sum(step.end_ms - step.start_ms for step in steps) / len(steps) if steps else 0.0
        tools = ", ".join(names.get(key, key) for key in agent.tools)
        calls = sum(len(step.calls) for step in steps)
        rows.append(AgentRow(agent, tools, policy_words(agent.policy), len(steps), calls, busy[agent.key], mean))
    return rows


def policy_words(policy: ResiliencePolicy) -> str:
    """`3 attempts, back-off from 500 ms, gives up after 30 s, circuit breaker, else a draft`."""
    words: list[str] = []
    if policy.concurrency > 1:
        words.append(f"{policy.concurrency} at a time")
    if policy.max_attempts > 1:
        words.append(f"{policy.max_attempts} attempts")
        if policy.backoff_ms:
            words.append(f"back-off from {duration(policy.backoff_ms)}")
    if policy.timeout_ms is not None:
        words.append(f"time limit {duration(policy.timeout_ms)}")
    if policy.circuit_breaker:
        words.append("circuit breaker")
    if policy.fallback:
        words.append(f"fallback: {policy.fallback}")
    return ", ".join(words) or "one attempt, no time limit"


def humanised(code: str) -> str:
    """`tool_api_timeout` as `Tool api timeout`."""
    return code.replace("_", " ").strip().capitalize()


def _names(architecture: Architecture) -> dict[str, str]:
    named: list[NetworkAgent | Tool] = [*architecture.agents, *architecture.tools]
    return {thing.key: thing.name for thing in named}
