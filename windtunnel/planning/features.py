"""Features of a network that make failure modes likelier; the words of `structure` in the book."""

from collections import Counter
from collections.abc import Collection, Sequence

from windtunnel.domain.architectures import AgentRole, DataSensitivity, LinkKind, NetworkAgent, Tool, ToolCategory
from windtunnel.domain.networks import distances
from windtunnel.planning.shape import Shape

_OUTWARD = frozenset({"email", "messaging", "cms_publish", "web_search"})
_PEOPLE_TOOLS = frozenset({"hr_system", "lms", "ehr", "fraud_scoring"})
_RETRIEVAL = frozenset({"vector_search", "legal_search", "web_search"})
_UNTRUSTED = frozenset({"email", "web_search", "ticketing", "messaging", "moderation", "speech"})

FEATURES = frozenset(
    {
        "access_tool", "answering", "blackboard", "code_exec", "critic", "cycle", "debate", "delegation", "edge_device",
        "egress", "external_tool", "extraction", "fan_in", "fan_out", "guardrail", "handoff", "hierarchy", "hub",
        "human_gate", "judge_only", "long_chain", "low_confidence", "many_agents", "many_constraints", "many_tools",
        "memory", "monitor", "negotiation", "no_compensation", "no_guardrail", "no_human", "no_retrieval",
        "no_verifier", "people_tool", "planning", "rag", "retrieval", "router", "saga", "scheduling", "sensitive_tool",
        "sequence", "shared_tools", "untrusted_input", "voice", "web", "wide_fan_out", "write_tool",
    }
)  # fmt: skip


def features_of(shape: Shape) -> frozenset[str]:
    """Every feature that the network has."""
    roles = {agent.role for agent in shape.agents}
    kinds = {tool.kind for tool in shape.tools}
    found = _graph_features(shape) | _tool_features(shape.tools, shape.agents)
    has = {
        "human_gate": AgentRole.HUMAN in roles,
        "no_human": AgentRole.HUMAN not in roles,
        "critic": AgentRole.CRITIC in roles,
        "judge_only": AgentRole.CRITIC in roles and AgentRole.HUMAN not in roles,
        "no_verifier": roles.isdisjoint({AgentRole.CRITIC, AgentRole.HUMAN, AgentRole.GUARDRAIL}),
        "guardrail": AgentRole.GUARDRAIL in roles,
        "no_guardrail": AgentRole.GUARDRAIL not in roles,
        "router": AgentRole.ROUTER in roles,
        "memory": AgentRole.MEMORY in roles,
        "planning": AgentRole.PLANNER in roles or "planner_executor" in shape.patterns,
        "delegation": AgentRole.ORCHESTRATOR in roles,
        "no_retrieval": kinds.isdisjoint(_RETRIEVAL),
        "low_confidence": shape.confidence < 0.4,
        "many_constraints": shape.constraints >= 4,
        "answering": "answer" in shape.concepts,
        "extraction": "document_parser" in kinds,
        "no_compensation": any(tool.side_effects for tool in shape.tools) and "saga_transaction" not in shape.patterns,
        "sequence": "sequential_pipeline" in shape.patterns,
        "debate": "debate_voting" in shape.patterns,
        "hierarchy": "hierarchical" in shape.patterns,
        "blackboard": "blackboard" in shape.patterns,
        "negotiation": "peer_negotiation" in shape.patterns,
        "monitor": "event_driven_monitor" in shape.patterns,
        "saga": "saga_transaction" in shape.patterns,
        "rag": "rag" in shape.patterns,
    }
    return frozenset(found | {name for name, holds in has.items() if holds})


def _graph_features(shape: Shape) -> set[str]:
    agents, links = shape.agents, shape.links
    forward = [link for link in links if link.kind is not LinkKind.FEEDBACK]
    out = Counter(link.source for link in forward if link.probability is None)
    into = Counter(link.target for link in forward)
    successors: dict[str, list[str]] = {agent.key: [] for agent in agents}
    for link in forward:
        successors[link.source].append(link.target)
    starts = [agent.key for agent in agents if not into[agent.key]] or [agent.key for agent in agents[:1]]
    depth = max(distances(successors, starts).values(), default=0) + 1
    widest = max(out.values(), default=0)
    copies = max((agent.policy.concurrency for agent in agents), default=1)
    has = {
        "cycle": len(forward) < len(links),
        "handoff": any(link.kind is LinkKind.HANDOFF for link in links),
        "fan_out": widest >= 3 or copies >= 3,
        "wide_fan_out": widest >= 6 or copies >= 8,
        "fan_in": max(into.values(), default=0) >= 3,
        "hub": max(((out + into)[agent.key] for agent in agents), default=0) >= 4,
        "long_chain": depth >= 4,
        "many_agents": len(agents) >= 4,
    }
    return {name for name, holds in has.items() if holds}


def _tool_features(tools: Sequence[Tool], agents: Sequence[NetworkAgent]) -> set[str]:
    kinds = {tool.kind for tool in tools}
    has = {
        "write_tool": any(tool.side_effects for tool in tools),
        "external_tool": any(tool.category in {ToolCategory.HTTP_API, ToolCategory.SEARCH} for tool in tools),
        "many_tools": any(len(agent.tools) >= 4 for agent in agents),
        "shared_tools": any(len(tool.used_by) >= 2 for tool in tools),
        "sensitive_tool": any(
            tool.data_sensitivity in {DataSensitivity.CONFIDENTIAL, DataSensitivity.RESTRICTED} for tool in tools
        ),
        "retrieval": _any_of(kinds, _RETRIEVAL),
        "web": "web_search" in kinds,
        "egress": _any_of(kinds, _OUTWARD),
        "untrusted_input": _any_of(kinds, _UNTRUSTED),
        "people_tool": _any_of(kinds, _PEOPLE_TOOLS),
        "code_exec": _any_of(kinds, {"code_exec", "ci_cd"}),
        "edge_device": "iot_sensor" in kinds,
        "scheduling": _any_of(kinds, {"calendar", "booking"}),
        "voice": "speech" in kinds,
        "access_tool": "identity_access" in kinds,
    }
    return {name for name, holds in has.items() if holds}


def _any_of(kinds: Collection[str], wanted: Collection[str]) -> bool:
    return not set(kinds).isdisjoint(wanted)
