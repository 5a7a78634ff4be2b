"""The shape of an agent network: what makes an architecture valid, and what its graph measures."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from windtunnel.domain.architectures import Architecture, LinkKind
from windtunnel.domain.policy import ARCHITECTURE_MAX_AGENTS

Successors = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ArchitectureMetrics:
    """What the graph measures.

    `depth` counts layers, `critical_path` is the slowest way by mean service time (each loop taken once), and
    `single_points_of_failure` are the agents without which no work gets from an entry to an exit.
    """

    agent_count: int
    link_count: int
    tool_count: int
    depth: int
    has_cycle: bool
    critical_path: tuple[str, ...]
    single_points_of_failure: tuple[str, ...]


def validate(architecture: Architecture) -> list[str]:
    """Every rule that the architecture breaks, one sentence each; empty when it is valid."""
    agents = [agent.key for agent in architecture.agents]
    problems = _key_problems(architecture)
    if not agents:
        problems.append("There is no agent.")
    if len(agents) > ARCHITECTURE_MAX_AGENTS:
        problems.append(f"There are {len(agents)} agents; at most {ARCHITECTURE_MAX_AGENTS} are possible.")
    known = set(agents)
    problems += _endpoint_problems(architecture, known)
    layers = distances(successors_of(architecture), architecture.entry_points)
    problems += [f"Agent {key!r} cannot be reached from the entry points." for key in agents if key not in layers]
    problems += [
        f"Agent {agent.key!r} says layer {agent.layer}, its distance from the entry points is {layers[agent.key]}."
        for agent in architecture.agents
        if layers.get(agent.key, agent.layer) != agent.layer
    ]
    problems += _value_problems(architecture)
    problems += _tool_problems(architecture)
    problems += _failure_problems(architecture, known)
    for told in architecture.telemetry.agents:
        if told.agent_key not in known:
            problems.append(f"The telemetry names an unknown agent {told.agent_key!r}.")
    return problems


def metrics_of(architecture: Architecture) -> ArchitectureMetrics:
    """Measure the graph."""
    successors = successors_of(architecture)
    return ArchitectureMetrics(
        agent_count=len(architecture.agents),
        link_count=len(architecture.links),
        tool_count=len(architecture.tools),
        depth=max(distances(successors, architecture.entry_points).values(), default=-1) + 1,
        has_cycle=_has_cycle(successors),
        critical_path=_critical_path(architecture, _forward_links(architecture)),
        single_points_of_failure=_single_points(architecture, successors),
    )


def successors_of(architecture: Architecture) -> dict[str, list[str]]:
    """For each agent the agents that its links lead to, in link order; links to unknown agents are left out."""
    successors: dict[str, list[str]] = {agent.key: [] for agent in architecture.agents}
    for link in architecture.links:
        if link.source in successors and link.target in successors:
            successors[link.source].append(link.target)
    return successors


def distances(successors: Successors, starts: Iterable[str]) -> dict[str, int]:
    """Breadth-first distance from the nearest of `starts` to every node that can be reached."""
    found = {key: 0 for key in starts if key in successors}
    waiting = deque(found)
    while waiting:
        key = waiting.popleft()
        for target in successors[key]:
            if target not in found:
                found[target] = found[key] + 1
                waiting.append(target)
    return found


def _key_problems(architecture: Architecture) -> list[str]:
    problems = []
    # Agents and tools share one name space: a failure's target may be either.
    for noun, keys in (
        ("agent or tool", [a.key for a in architecture.agents] + [t.key for t in architecture.tools]),
        ("link", [link.key for link in architecture.links]),
        ("failure mode", [mode.key for mode in architecture.failure_modes]),
    ):
        problems += [f"The {noun} key {key!r} is used {n} times." for key, n in Counter(keys).items() if n > 1]
        problems += [f"A {noun} has an empty key." for key in keys if not key.strip()]
    return problems


def _endpoint_problems(architecture: Architecture, known: Collection[str]) -> list[str]:
    problems = [
        f"Link {link.key!r} names an unknown agent {key!r}."
        for link in architecture.links
        for key in (link.source, link.target)
        if key not in known
    ]
    for noun, keys in (("entry", architecture.entry_points), ("exit", architecture.exit_points)):
        if not keys:
            problems.append(f"There is no {noun} point.")
        problems += [f"The {noun} point {key!r} is no agent." for key in keys if key not in known]
    return problems


def _value_problems(architecture: Architecture) -> list[str]:
    problems = []
    for agent in architecture.agents:
        policy = agent.policy
        if policy.max_attempts < 1 or policy.concurrency < 1 or policy.backoff_ms < 0:
            problems.append(f"The policy of agent {agent.key!r} is out of range.")
        if policy.timeout_ms is not None and policy.timeout_ms < 1:
            problems.append(f"The timeout of agent {agent.key!r} is out of range.")
    services = [(a.key, a.service) for a in architecture.agents] + [(t.key, t.service) for t in architecture.tools]
    problems += [
        f"The service time of {key!r} is negative."
        for key, service in services
        if service.mean_ms < 0 or service.cv < 0
    ]
    problems += [
        f"The probability of link {link.key!r} is not between 0 and 1."
        for link in architecture.links
        if link.probability is not None and not 0 <= link.probability <= 1
    ]
    if not 0 <= architecture.confidence <= 1:
        problems.append("The confidence is not between 0 and 1.")
    return problems


def _tool_problems(architecture: Architecture) -> list[str]:
    problems = [] if architecture.tools else ["There is no tool."]
    users: dict[str, list[str]] = {tool.key: [] for tool in architecture.tools}
    for agent in architecture.agents:
        for key in agent.tools:
            if key not in users:
                problems.append(f"Agent {agent.key!r} uses an unknown tool {key!r}.")
            else:
                users[key].append(agent.key)
    for tool in architecture.tools:
        if not users[tool.key]:
            problems.append(f"No agent uses tool {tool.key!r}.")
        if sorted(tool.used_by) != sorted(users[tool.key]):
            problems.append(f"The users of tool {tool.key!r} are not the agents that name it.")
    return problems


def _failure_problems(architecture: Architecture, agents: Collection[str]) -> list[str]:
    problems = [] if architecture.failure_modes else ["There is no failure mode."]
    tools = {tool.key for tool in architecture.tools}
    for mode in architecture.failure_modes:
        if not mode.targets:
            problems.append(f"Failure mode {mode.key!r} has no target.")
        problems += [
            f"Failure mode {mode.key!r} targets no agent: {key!r}." for key in mode.targets if key not in agents
        ]
        if mode.target_tool is not None and mode.target_tool not in tools:
            problems.append(f"Failure mode {mode.key!r} targets an unknown tool {mode.target_tool!r}.")
        if not 0 <= mode.probability <= 1 or not 0 <= mode.effect.probability <= 1:
            problems.append(f"A probability of failure mode {mode.key!r} is not between 0 and 1.")
    return problems


def _has_cycle(successors: Successors) -> bool:
    # Kahn: whoever cannot be sorted lies on or behind a cycle.
    incoming = Counter(target for targets in successors.values() for target in targets)
    free = [key for key in successors if not incoming[key]]
    for key in free:
        for target in successors[key]:
            incoming[target] -= 1
            if not incoming[target]:
                free.append(target)
    return len(free) < len(successors)


def _forward_links(architecture: Architecture) -> dict[str, list[str]]:
    """The links without feedback and without those that close a loop, seen from the entry points."""
    successors: dict[str, list[str]] = {agent.key: [] for agent in architecture.agents}
    for link in architecture.links:
        if link.kind is not LinkKind.FEEDBACK and link.source in successors and link.target in successors:
            successors[link.source].append(link.target)
    forward: dict[str, list[str]] = {key: [] for key in successors}
    done: set[str] = set()
    for start in (*architecture.entry_points, *successors):
        if start not in successors or start in done:
            continue
        path = {start: iter(successors[start])}  # the way down, in order
        while path:
            key = next(reversed(path))
            target = next(path[key], None)
            if target is None:
                done.add(key)
                del path[key]
            elif target not in path:
                forward[key].append(target)
                if target not in done:
                    path[target] = iter(successors[target])
    return forward


def _critical_path(architecture: Architecture, forward: Successors) -> tuple[str, ...]:
    tool_ms = {tool.key: tool.service.mean_ms for tool in architecture.tools}
    cost = {
        agent.key: agent.service.mean_ms + sum(tool_ms.get(key, 0.0) for key in agent.tools)
        for agent in architecture.agents
    }
    best: dict[str, tuple[float, str | None]] = {}
    for key in reversed(_topological(forward)):
        onward = max(forward[key], key=lambda target: best[target][0], default=None)
        best[key] = (cost[key] + (best[onward][0] if onward is not None else 0.0), onward)
    at = max((key for key in architecture.entry_points if key in best), key=lambda key: best[key][0], default=None)
    path = []
    while at is not None:
        path.append(at)
        at = best[at][1]
    return tuple(path)


def _topological(forward: Successors) -> list[str]:
    incoming = Counter(target for targets in forward.values() for target in targets)
    order = [key for key in forward if not incoming[key]]
    for key in order:
        for target in forward[key]:
            incoming[target] -= 1
            if not incoming[target]:
                order.append(target)
    return order


def _single_points(architecture: Architecture, successors: Successors) -> tuple[str, ...]:
    exits = set(architecture.exit_points)
    points = []
    for agent in architecture.agents:
        rest = {key: [t for t in targets if t != agent.key] for key, targets in successors.items() if key != agent.key}
        if not exits & distances(rest, architecture.entry_points).keys():
            points.append(agent.key)
    return tuple(points)
