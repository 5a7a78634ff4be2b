"""The model of an architecture: agents and their tools as places, links as routes, forks and joins."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from windtunnel.domain.architectures import AgentRole, Architecture, NetworkAgent, ServiceTime, Tool
from windtunnel.experiments.faults import with_faults
from windtunnel.experiments.flow import Flow, Step, flow_of
from windtunnel.experiments.joins import put_joins
from windtunnel.experiments.model import TASK_LIST, Model, Place
from windtunnel.simulation.graph import Graph, graph_of
from windtunnel.simulation.network import Node, Route
from windtunnel.simulation.noticing import EYES
from windtunnel.simulation.resilience import Breaker, Fallback, NodeMode, WorkingHours

CROSSING_SERVERS = 1_000_000
"""A crossing takes no time, so nobody ever waits there."""
LIST_SERVERS = 1_000_000
"""A person's task list holds any number of tasks at once; who works on one at a time is the person."""
FALLBACK_SHARE = 0.5
"""A fallback is simpler than what it stands for: it takes half as long. Our prior."""
CHECKERS = frozenset({AgentRole.CRITIC, AgentRole.GUARDRAIL})
VOTING = "debate_voting"
_NO_TIME = ServiceTime(0.0)


def model_of(architecture: Architecture, *, working_hours: bool = False) -> Model:
    """The model under load of an architecture, with its failure modes at the probabilities that it states.

    A visit to an agent is its own work and then a call of each of its tools, one after another; each has as many places
    as the agent works on things at once, and the agent's policy for time limits, attempts, back-off, breaker and
    fallback. With `working_hours` people work from 9 to 17 on weekdays, else around the clock. What lies on a person's
    task list waits to be seen, all of it at once; then they work on one thing after another.

    Agents notice mistakes of others as often as in a told run, and have the work done again, where a link says who does
    it, else by themselves. Where the architecture debates and votes, a join goes by the majority.
    """
    graph = graph_of(architecture)
    flow = flow_of(graph)
    entries = [key for key in architecture.entry_points if key in graph.index] or [graph.agents[0].key]
    put_joins(flow, entries)
    places: list[Place] = []
    routes: list[Route] = []
    for step in _in_order(flow, graph):
        placed, routed = _visit(step, graph, working_hours=working_hours)
        places += placed
        routes += routed
    model = Model(tuple(places), tuple(routes), tuple(entries))
    return with_faults(model, architecture)


def _in_order(flow: Flow, graph: Graph) -> list[Step]:
    """Agents in their own order, whatever lies between them: so a variant meets the same random numbers."""
    agents = [flow[agent.key] for agent in graph.agents]
    return agents + [step for step in flow.values() if step not in agents]


def _visit(step: Step, graph: Graph, *, working_hours: bool) -> tuple[list[Place], list[Route]]:
    """The places of a step in line, and the routes among them and onward."""
    places = list(_places(step, graph, working_hours=working_hours))
    keys = [place.node.key for place in places]
    routes = [Route(one, other) for one, other in itertools.pairwise(keys)]
    back = sum(share for _, share in step.again)
    if step.forks and back:
        places.append(_crossing(f"{step.key} goes on"))
        routes.append(Route(keys[-1], places[-1].node.key, 1.0 - back))
        routes += [Route(keys[-1], target, share) for target, share in step.again]
    last = places[-1].node.key
    if step.forks:
        places[-1] = replace(places[-1], node=replace(places[-1].node, mode=NodeMode.FORK))
        routes += [Route(last, target) for target, _ in step.ways]
    else:
        routes += [Route(last, target, share) for target, share in step.again]
        routes += [Route(last, target, share * (1.0 - back)) for target, share in step.ways]
    return places, routes


def _places(step: Step, graph: Graph, *, working_hours: bool) -> Iterator[Place]:
    if step.agent is None:
        votes = step.quorum > 2 and VOTING in graph.architecture.patterns
        yield _crossing(step.key, step.quorum, vote=votes)
        return
    agent = graph.agents[step.agent]
    node = _node(step.key, agent, agent.service, working_hours=working_hours)
    again = step.again[0][0] if step.again else step.key
    yield Place(
        replace(node, catch_probability=EYES[agent.role], rework=again if EYES[agent.role] else None),
        agent.key,
        agent.key,
        agent.tokens.input,
        agent.tokens.output,
        checks=bool(step.again) and agent.role in CHECKERS,
    )
    if step.key != agent.key:
        return  # It has the answers: what tools it needed it has used before.
    for tool in (graph.tools[key] for key in agent.tools if key in graph.tools):
        yield Place(_node(f"{agent.key}/{tool.key}", agent, tool.service, tool=tool), tool.key, agent.key)


def _node(
    key: str, agent: NetworkAgent, service: ServiceTime, *, tool: Tool | None = None, working_hours: bool = False
) -> Node:
    policy = agent.policy
    person = agent.role is AgentRole.HUMAN and tool is None
    lists = agent.role is AgentRole.HUMAN and tool is not None and tool.kind == TASK_LIST
    fallback = ServiceTime(service.mean_ms * FALLBACK_SHARE, service.cv, service.distribution)
    return Node(
        key,
        service,
        servers=LIST_SERVERS if lists else max(1, policy.concurrency),
        timeout_ms=policy.timeout_ms,
        max_attempts=max(1, policy.max_attempts),
        backoff_ms=policy.backoff_ms,
        breaker=Breaker() if policy.circuit_breaker else None,
        fallback=Fallback(fallback) if policy.fallback else None,
        hours=WorkingHours() if person and working_hours else None,
    )


def _crossing(key: str, quorum: int = 0, *, vote: bool = False) -> Place:
    return Place(Node(key, _NO_TIME, servers=CROSSING_SERVERS, join=quorum or None, vote=vote), "")
