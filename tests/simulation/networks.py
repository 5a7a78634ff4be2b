"""Valid architectures of every shape, for properties that hold in all of them."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from windtunnel.domain.architectures import (
    AgentRole,
    AgentTelemetry,
    Architecture,
    DataSensitivity,
    Distribution,
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
from windtunnel.domain.networks import distances, successors_of

KINDS = tuple(kind for kind in LinkKind)
SERVICES = st.builds(
    ServiceTime,
    mean_ms=st.sampled_from([0.0, 1.0, 250.0, 2_000.0, 3_600_000.0]),
    cv=st.sampled_from([0.0, 0.5, 2.0]),
    distribution=st.sampled_from(list(Distribution)),
)
POLICIES = st.builds(
    ResiliencePolicy,
    timeout_ms=st.sampled_from([None, 1, 1_000, 30_000]),
    max_attempts=st.integers(1, 4),
    backoff_ms=st.sampled_from([0, 100]),
    circuit_breaker=st.booleans(),
    fallback=st.sampled_from([None, "a cached answer", "a0"]),
    concurrency=st.integers(1, 3),
)
EFFECTS = st.builds(
    FailureEffect,
    inject=st.sampled_from(list(Inject)),
    per=st.sampled_from(list(FaultUnit)),
    probability=st.just(0.1),
    silent=st.booleans(),
    retryable=st.booleans(),
    cascades_to=st.sampled_from([(), ("code_0",), ("code_0", "code_1", "code_2")]),
)


def agent(number: int, **changes: object) -> NetworkAgent:
    """A plain worker."""
    plain = NetworkAgent(
        key=f"a{number}",
        name=f"Agent {number}",
        role=AgentRole.WORKER,
        responsibility="Works.",
        instructions="Work.",
        skills=(),
        tools=(),
        policy=ResiliencePolicy(),
        layer=0,
        service=ServiceTime(1_000),
        tokens=TokenUse(100, 50),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def tool(number: int, category: ToolCategory = ToolCategory.DATABASE, *, writes: bool = False) -> Tool:
    """A tool that nobody uses yet."""
    return Tool(
        key=f"t{number}",
        kind="crm",
        name=f"Tool {number}",
        purpose="Serves.",
        category=category,
        side_effects=writes,
        data_sensitivity=DataSensitivity.INTERNAL,
        used_by=(),
        service=ServiceTime(300),
    )


def mode(
    number: int, effect: FailureEffect, *, targets: Sequence[str] = ("a0",), tool: str | None = None
) -> FailureMode:
    """A failure mode with this effect."""
    return FailureMode(
        key=f"mode_{number}",
        code=f"code_{number}",
        severity=Severity.HIGH,
        likelihood=likelihood_of(0.3),
        probability=0.3,
        provenance="prior",
        rationale="It can happen.",
        targets=tuple(targets),
        target_tool=tool,
        mitigation="Do something about it.",
        detection="It shows.",
        effect=effect,
    )


def link(number: int, source: int, target: int, kind: LinkKind = LinkKind.DATA, share: float | None = None) -> Link:
    """A link between two agents by number."""
    return Link(f"l{number}", f"a{source}", f"a{target}", kind, "work", None, share)


def network(
    agents: Sequence[NetworkAgent],
    links: Sequence[Link],
    *,
    tools: Sequence[Tool] = (),
    modes: Sequence[FailureMode] = (),
    entries: Sequence[str] = ("a0",),
    exits: Sequence[str] | None = None,
) -> Architecture:
    """An architecture in which tools know their users and agents their layer; valid when all can be reached."""
    if not tools:
        tools = (tool(0),)
        agents = [replace(agents[0], tools=("t0",)), *agents[1:]]
    used = tuple(replace(one, used_by=tuple(user.key for user in agents if one.key in user.tools)) for one in tools)
    drawn = Architecture(
        summary="A network",
        patterns=(),
        agents=tuple(agents),
        links=tuple(links),
        tools=tuple(one for one in used if one.used_by),
        failure_modes=tuple(modes) or (mode(0, FailureEffect(Inject.ERROR, FaultUnit.MODEL_CALL, 0.1, False, True)),),
        entry_points=tuple(entries),
        exit_points=tuple(exits) if exits is not None else (agents[-1].key,),
        telemetry=Telemetry((AgentTelemetry("a0", "{task} took {duration_ms} ms: {status} {other}", "items", "1"),)),
    )
    layers = distances(successors_of(drawn), drawn.entry_points)
    layered = tuple(replace(one, layer=layers.get(one.key, one.layer)) for one in drawn.agents)
    return replace(drawn, agents=layered)


@st.composite
def architectures(draw: st.DrawFn, *, max_agents: int = 8) -> Architecture:
    """Any valid architecture: random links of every kind, loops, several entries, odd policies and service times."""
    count = draw(st.integers(1, max_agents))
    tools = [
        tool(number, draw(st.sampled_from(list(ToolCategory))), writes=draw(st.booleans()))
        for number in range(draw(st.integers(1, 4)))
    ]
    agents = [
        agent(
            number,
            role=draw(st.sampled_from(list(AgentRole))),
            policy=draw(POLICIES),
            service=draw(SERVICES),
            tokens=draw(st.sampled_from([TokenUse(), TokenUse(500, 100)])),
            tools=tuple(sorted(draw(st.sets(st.sampled_from([one.key for one in tools]))))),
        )
        for number in range(count)
    ]
    if not any(one.tools for one in agents):
        agents[0] = replace(agents[0], tools=("t0",))
    entries = sorted(draw(st.sets(st.integers(0, count - 1), min_size=1)))
    pairs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3 * count))
    shares = st.sampled_from([None, None, 0.0, 0.3, 0.7, 1.0])
    links = [
        replace(
            link(number, source, target, draw(st.sampled_from(KINDS)), draw(shares)),
            condition=draw(st.sampled_from([None, "if so"])),
        )
        for number, (source, target) in enumerate(pairs)
    ]
    reached = distances(successors_of(network(agents, links)), [f"a{number}" for number in entries])
    # Whoever cannot be reached becomes an entry point.
    entries += [number for number in range(count) if f"a{number}" not in reached and number not in entries]
    modes = [
        mode(
            number,
            draw(EFFECTS),
            targets=sorted(draw(st.sets(st.sampled_from([one.key for one in agents]), min_size=1))),
            tool=draw(
                st.sampled_from([None, *(one.key for one in tools if any(one.key in user.tools for user in agents))])
            ),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return network(
        agents, links, tools=tools, modes=modes, entries=[f"a{number}" for number in sorted(entries)], exits=["a0"]
    )
