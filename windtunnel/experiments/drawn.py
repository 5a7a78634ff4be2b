"""A model as an architecture to look at: for networks that were given as nodes and links, without agents."""

from dataclasses import replace

from windtunnel.domain.architectures import AgentRole, Architecture, Link, LinkKind, NetworkAgent, ResiliencePolicy
from windtunnel.experiments.model import Model, Place
from windtunnel.simulation.network import Route
from windtunnel.simulation.resilience import NodeMode


def drawn(model: Model) -> Architecture:
    """Nodes as agents and routes as links; a role says what a node does to the flow: people, forks, choices, work."""
    onward: dict[str, list[Route]] = {place.node.key: [] for place in model.places}
    for route in model.routes:
        onward[route.source].append(route)
    layers = _layers(model, onward)
    back = _back(model, onward)
    links = tuple(
        Link(
            f"l{number}",
            route.source,
            route.target,
            LinkKind.FEEDBACK if (route.source, route.target) in back else LinkKind.HANDOFF,
            "",
            probability=route.probability,
        )
        for number, route in enumerate(model.routes, 1)
    )
    return Architecture(
        summary="",
        patterns=(),
        agents=tuple(
            _agent(place, [one for one in onward[place.node.key] if (one.source, one.target) not in back], layers)
            for place in model.places
        ),
        links=links,
        tools=(),
        failure_modes=(),
        entry_points=tuple(dict.fromkeys(model.entry)),
        exit_points=tuple(key for key, routes in onward.items() if _some_leaves(routes)),
    )


def as_modelled(architecture: Architecture, model: Model) -> Architecture:
    """The architecture with as many places and attempts per agent as the model has: what a variant changes there."""
    nodes = {place.node.key: place.node for place in model.places}
    agents = []
    for agent in architecture.agents:
        node = nodes.get(agent.key)
        policy = (
            agent.policy
            if node is None
            else replace(agent.policy, concurrency=node.servers, max_attempts=node.max_attempts)
        )
        agents.append(replace(agent, policy=policy))
    return replace(architecture, agents=tuple(agents))


def _layers(model: Model, onward: dict[str, list[Route]]) -> dict[str, int]:
    """The distance from the entry; nodes that nothing leads to stand there."""
    layers = dict.fromkeys(model.entry, 0)
    waiting = list(layers)
    while waiting:
        here, *waiting = waiting
        for route in onward[here]:
            if route.target not in layers:
                layers[route.target] = layers[here] + 1
                waiting.append(route.target)
    return {key: layers.get(key, 0) for key in onward}


def _back(model: Model, onward: dict[str, list[Route]]) -> set[tuple[str, str]]:
    """The routes that close a loop: back to where a walk from the entry came from."""
    back: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for start in (*model.entry, *onward):
        if start in seen:
            continue
        seen.add(start)
        walk = {start: iter(onward[start])}
        while walk:
            here = next(reversed(walk))
            route = next(walk[here], None)
            if route is None:
                del walk[here]
            elif route.target in walk:
                back.add((here, route.target))
            elif route.target not in seen:
                seen.add(route.target)
                walk[route.target] = iter(onward[route.target])
    return back


def _agent(place: Place, forward: list[Route], layers: dict[str, int]) -> NetworkAgent:
    node = place.node
    policy = ResiliencePolicy(
        None if node.timeout_ms is None else round(node.timeout_ms),
        node.max_attempts,
        round(node.backoff_ms),
        node.breaker is not None,
        "fallback" if node.fallback else None,
        node.servers,
    )
    role = _role(place, forward)
    return NetworkAgent(node.key, node.key, role, "", "", (), (), policy, layers[node.key], node.service)


def _role(place: Place, forward: list[Route]) -> AgentRole:
    if place.node.hours is not None:
        return AgentRole.HUMAN
    if place.node.mode is NodeMode.FORK:
        return AgentRole.ORCHESTRATOR
    if place.node.catch_probability > 0:
        return AgentRole.CRITIC
    return AgentRole.ROUTER if len(forward) > 1 else AgentRole.WORKER


def _some_leaves(routes: list[Route]) -> bool:
    return sum(route.probability for route in routes) < 1.0 - 1e-9
