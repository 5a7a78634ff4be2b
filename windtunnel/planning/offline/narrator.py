"""The Observability and Narrative Agent offline: a log sentence and a business metric per agent, and an opening."""

from windtunnel.domain.architectures import AgentRole
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, NarratorAnswer, TelemetryAnswer
from windtunnel.planning.naming import clean, slug
from windtunnel.planning.offline.wording import how_it_works

_METRICS: dict[str, tuple[str, str]] = {
    AgentRole.ORCHESTRATOR: ("delegated", "{task}"),
    AgentRole.PLANNER: ("plans", "{plan}"),
    AgentRole.ROUTER: ("routed", "{item}"),
    AgentRole.CRITIC: ("reviewed", "{item}"),
    AgentRole.GUARDRAIL: ("checked", "{item}"),
    AgentRole.MEMORY: ("lookups", "{lookup}"),
    AgentRole.HUMAN: ("decisions", "{decision}"),
    AgentRole.INTEGRATION: ("calls", "{call}"),
}
_VERBS: dict[str, str] = {
    AgentRole.ORCHESTRATOR: "handed out",
    AgentRole.PLANNER: "planned",
    AgentRole.ROUTER: "routed",
    AgentRole.CRITIC: "reviewed",
    AgentRole.GUARDRAIL: "checked",
    AgentRole.MEMORY: "looked up",
    AgentRole.HUMAN: "decided on",
    AgentRole.INTEGRATION: "carried out",
}


def narrate(network: ArchitectAnswer) -> NarratorAnswer:
    """What to log and measure of each agent, and how the story of a run begins."""
    first = next((agent for agent in network.agents if agent.key in network.entry_points), network.agents[0])
    return NarratorAnswer(
        opening=_opening(network, first),
        agents=[_telemetry(agent) for agent in network.agents],
    )


def _opening(network: ArchitectAnswer, first: AgentAnswer) -> str:
    """Where work comes in and goes out, and how it is done; the agents' names are told by the events."""
    last = [agent.name for agent in network.agents if agent.key in network.exit_points]
    way = f"Work arrives at {first.name}"
    if last and last[0] != first.name:
        way += f" and leaves from {last[0]}"
    how = how_it_works(network.patterns)
    return clean(f"{way}. {how}." if how else f"{way}.")


def _telemetry(agent: AgentAnswer) -> TelemetryAnswer:
    noun, unit = _METRICS.get(agent.role, ("completed", "{item}"))
    verb = _VERBS.get(agent.role, "finished")
    name = agent.name.replace("{", "(").replace("}", ")")
    return TelemetryAnswer(
        agent=agent.key,
        log=f"{name} {verb} {{task}} in {{duration_ms}} ms: {{status}}",
        metric=f"{slug(agent.name) or agent.key}_{noun}",
        unit=unit,
    )
