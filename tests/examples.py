"""Hand-made architectures for tests: a support triage, a pipeline and a review loop."""

from collections.abc import Sequence
from dataclasses import replace

from windtunnel.domain.architectures import (
    AgentRole,
    AgentTelemetry,
    Architecture,
    DataSensitivity,
    Link,
    LinkKind,
    NetworkAgent,
    ResiliencePolicy,
    ServiceTime,
    Telemetry,
    TokenUse,
    Tool,
    ToolCategory,
)
from windtunnel.domain.failures import FailureEffect, FailureMode, FaultUnit, Inject, Severity, likelihood_of


def support_triage() -> Architecture:
    """A router with three branches, a person who approves large refunds, and a shared way out."""
    tools = (
        _tool("crm", ToolCategory.DATABASE, ("billing", "technical"), 400, writes=True),
        _tool("payments", ToolCategory.HTTP_API, ("refund",), 900, writes=True),
        _tool("vector_search", ToolCategory.RETRIEVAL, ("technical", "product"), 120),
        _tool("human_task", ToolCategory.HUMAN, ("manager",), 60_000),
        _tool("email", ToolCategory.MESSAGING, ("reply",), 600, writes=True),
    )
    agents = (
        _agent("triage", AgentRole.ROUTER, 0),
        _agent("billing", AgentRole.SPECIALIST, 1, tools=("crm",)),
        _agent("technical", AgentRole.SPECIALIST, 1, tools=("crm", "vector_search")),
        _agent("product", AgentRole.SPECIALIST, 1, tools=("vector_search",)),
        _agent("manager", AgentRole.HUMAN, 2, tools=("human_task",), mean_ms=120_000),
        _agent("refund", AgentRole.INTEGRATION, 2, tools=("payments",), mean_ms=200),
        _agent("reply", AgentRole.WORKER, 2, tools=("email",)),
    )
    links = (
        _link("triage", "billing", probability=0.4),
        _link("triage", "technical", probability=0.35),
        _link("triage", "product", probability=0.25),
        _link("billing", "manager", condition="refund above the limit", probability=0.2),
        _link("billing", "refund", condition="refund within the limit", probability=0.8),
        _link("manager", "refund"),
        _link("refund", "reply", kind=LinkKind.DATA),
        _link("technical", "reply", kind=LinkKind.DATA),
        _link("product", "reply", kind=LinkKind.DATA),
    )
    modes = (
        _mode("tool_wrong_selection", ("triage",), Inject.WRONG_OUTPUT, FaultUnit.TOOL_CALL, 0.03),
        _mode("tool_api_timeout", ("refund",), Inject.LATENCY, FaultUnit.TOOL_CALL, 0.06, tool="payments"),
        _mode(
            "human_approval_delay", ("manager",), Inject.LATENCY, FaultUnit.HUMAN_TASK, 0.1, severity=Severity.MEDIUM
        ),
        _mode(
            "llm_rate_limited",
            ("technical", "billing"),
            Inject.ERROR,
            FaultUnit.MODEL_CALL,
            0.04,
            severity=Severity.LOW,
        ),
    )
    return _architecture(
        "Support triage", ("router_triage", "human_approval_gate"), agents=agents, links=links, tools=tools, modes=modes
    )


def pipeline() -> Architecture:
    """Three stages in a row."""
    tools = (
        _tool("document_parser", ToolCategory.FILE, ("extract",), 1200),
        _tool("erp", ToolCategory.DATABASE, ("load",), 900, writes=True),
    )
    agents = (
        _agent("extract", AgentRole.WORKER, 0, tools=("document_parser",)),
        _agent("check", AgentRole.CRITIC, 1),
        _agent("load", AgentRole.WORKER, 2, tools=("erp",)),
    )
    links = (_link("extract", "check", kind=LinkKind.DATA), _link("check", "load", kind=LinkKind.DATA))
    modes = (
        _mode("llm_truncated_output", ("extract",), Inject.TRUNCATE, FaultUnit.MODEL_CALL, 0.02),
        _mode("mast_fm_3_3", ("check",), Inject.WRONG_OUTPUT, FaultUnit.AGENT_RUN, 0.02),
        _mode(
            "tool_wrong_side_effect",
            ("load",),
            Inject.WRONG_OUTPUT,
            FaultUnit.TOOL_CALL,
            0.01,
            severity=Severity.CRITICAL,
        ),
    )
    return _architecture(
        "Invoice pipeline", ("sequential_pipeline",), agents=agents, links=links, tools=tools, modes=modes
    )


def review_loop() -> Architecture:
    """A writer and a critic who sends three drafts in ten back, then publication."""
    tools = (
        _tool("web_search", ToolCategory.SEARCH, ("writer",), 800),
        _tool("cms_publish", ToolCategory.HTTP_API, ("publisher",), 800, writes=True),
    )
    agents = (
        _agent("writer", AgentRole.WORKER, 0, tools=("web_search",)),
        _agent("critic", AgentRole.CRITIC, 1),
        _agent("publisher", AgentRole.INTEGRATION, 2, tools=("cms_publish",), mean_ms=150),
    )
    links = (
        _link("writer", "critic", kind=LinkKind.DATA),
        _link("critic", "writer", kind=LinkKind.FEEDBACK, condition="not good enough", probability=0.3),
        _link("critic", "publisher", condition="good enough", probability=0.7),
    )
    modes = (
        _mode("mast_fm_1_3", ("writer",), Inject.LOOP, FaultUnit.AGENT_RUN, 0.05),
        _mode("llm_hallucination", ("writer",), Inject.WRONG_OUTPUT, FaultUnit.AGENT_RUN, 0.06),
        _mode("tool_network_error", ("publisher",), Inject.ERROR, FaultUnit.TOOL_CALL, 0.02, tool="cms_publish"),
    )
    return _architecture(
        "Blog review loop", ("evaluator_optimizer",), agents=agents, links=links, tools=tools, modes=modes
    )


def _agent(key: str, role: AgentRole, layer: int, *, tools: Sequence[str] = (), mean_ms: float = 2500) -> NetworkAgent:
    person = role is AgentRole.HUMAN
    tokens = TokenUse() if person or role is AgentRole.INTEGRATION else TokenUse(input=1200, output=300)
    policy = ResiliencePolicy() if person else ResiliencePolicy(timeout_ms=30_000, max_attempts=3, backoff_ms=500)
    return NetworkAgent(
        key=key,
        name=key.capitalize(),
        role=role,
        responsibility=f"Does the {key} step.",
        instructions=f"Do the {key} step and hand the result on.",
        skills=(key,),
        tools=tuple(tools),
        policy=policy,
        layer=layer,
        service=ServiceTime(mean_ms),
        tokens=tokens,
    )


def _tool(kind: str, category: ToolCategory, used_by: Sequence[str], mean_ms: float, *, writes: bool = False) -> Tool:
    return Tool(
        key=f"tool_{kind}",
        kind=kind,
        name=kind.replace("_", " ").capitalize(),
        purpose=f"Serves {', '.join(used_by)}.",
        category=category,
        side_effects=writes,
        data_sensitivity=DataSensitivity.INTERNAL,
        used_by=tuple(used_by),
        service=ServiceTime(mean_ms),
    )


def _link(
    source: str,
    target: str,
    *,
    kind: LinkKind = LinkKind.HANDOFF,
    condition: str | None = None,
    probability: float | None = None,
) -> Link:
    return Link(f"{source}-{target}", source, target, kind, f"{source} to {target}", condition, probability)


def _mode(
    code: str,
    targets: tuple[str, ...],
    inject: Inject,
    per: FaultUnit,
    probability: float,
    *,
    severity: Severity = Severity.HIGH,
    tool: str | None = None,
) -> FailureMode:
    silent = inject in {Inject.WRONG_OUTPUT, Inject.TRUNCATE}
    return FailureMode(
        key=code,
        code=code,
        severity=severity,
        likelihood=likelihood_of(probability),
        probability=probability,
        provenance="prior: chosen for tests",
        rationale=f"{targets[0]} can meet it.",
        targets=targets,
        target_tool=f"tool_{tool}" if tool else None,
        mitigation="Retry with back-off.",
        detection="Watch the error rate.",
        effect=FailureEffect(inject, per, probability, silent=silent, retryable=not silent),
    )


def _architecture(
    summary: str,
    patterns: tuple[str, ...],
    *,
    agents: tuple[NetworkAgent, ...],
    links: tuple[Link, ...],
    tools: tuple[Tool, ...],
    modes: tuple[FailureMode, ...],
) -> Architecture:
    keyed = {tool.kind: tool.key for tool in tools}
    named = tuple(replace(agent, tools=tuple(keyed[kind] for kind in agent.tools)) for agent in agents)
    sources = {link.source for link in links if link.kind is not LinkKind.FEEDBACK}
    return Architecture(
        summary=summary,
        patterns=patterns,
        agents=named,
        links=links,
        tools=tools,
        failure_modes=modes,
        entry_points=(agents[0].key,),
        exit_points=tuple(agent.key for agent in agents if agent.key not in sources),
        confidence=0.9,
        telemetry=Telemetry(
            agents=tuple(
                AgentTelemetry(
                    agent.key,
                    f"{agent.name} finished {{task}} in {{duration_ms}} ms: {{status}}",
                    f"{agent.key}_items",
                    "{item}",
                )
                for agent in agents
            ),
            opening=f"{summary} begins.",
        ),
    )
