"""An architecture as a flow of work: visits to agents, the ways that follow, and what waits for what.

A step is one visit to an agent, or a mere crossing (no agent). Every step either forks (all of its ways are taken at
the same moment) or routes (one of its ways, by share; what the shares leave over leaves the network).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from windtunnel.domain.architectures import Link, LinkKind
from windtunnel.simulation.choices import REWORK_SHARE, branch_shares, split_branches
from windtunnel.simulation.graph import Graph

REWORK_MOST = 0.9
"""Feedback asks for another round at most this often, so that every task ends."""
_ALL = 1.0 - 1e-9


@dataclass(slots=True)
class Step:
    """A visit to an agent (by number), or a crossing (None). `ways` are (step, share); `again` are ways back.

    `quorum` tokens of the fork before must have come, where it is more than none.
    """

    key: str
    agent: int | None
    ways: list[tuple[str, float]] = field(default_factory=list)
    again: list[tuple[str, float]] = field(default_factory=list)
    forks: bool = False
    quorum: int = 0

    @property
    def leaves(self) -> float:
        """The share of work that leaves the network here."""
        if self.forks:
            return 0.0
        total = sum(share for _, share in self.ways)
        return 0.0 if total > _ALL else 1.0 - total


Flow = dict[str, Step]


def flow_of(graph: Graph) -> Flow:
    """The flow of an architecture, without joins yet; steps are named by the key of their agent."""
    flow = {agent.key: Step(agent.key, number) for number, agent in enumerate(graph.agents)}
    claimed = 0
    for node, agent in enumerate(graph.agents):
        links = list(graph.forward[node])
        calls, others, mask = _calls(graph, node, links)
        leaves = [] if mask & claimed else list(_leaves(graph, mask))
        if calls and leaves:
            claimed |= mask
            _call(flow, graph, node, calls, others, leaves)
        else:
            _leave(flow, flow[agent.key], graph, node, links)
    for node, agent in enumerate(graph.agents):
        shares = [(link.target, _rework_share(link)) for link in graph.rework[node]]
        total = sum(share for _, share in shares)
        scale = min(1.0, REWORK_MOST / total) if total else 1.0
        flow[agent.key].again = [(target, share * scale) for target, share in shares if share > 0.0]
    return flow


def crossing(flow: Flow, key: str) -> Step:
    """A new step without an agent; the key gets a number when it is taken."""
    free = key
    number = 2
    while free in flow:
        free = f"{key} {number}"
        number += 1
    flow[free] = Step(free, None)
    return flow[free]


def _calls(graph: Graph, node: int, links: list[Link]) -> tuple[list[Link], list[Link], int]:
    """Split off the links that wait for an answer; with the agents that only those calls lead to."""
    returners = graph.returners[node]
    calls = [link for link in links if link.kind is LinkKind.CALL or graph.beyond(link) & returners]
    others = [link for link in links if link not in calls]
    if not calls or not (others or returners):
        return [], links, 0
    future = 0
    for link in others:
        future |= graph.beyond(link)
    mask = 0
    for link in calls:
        mask |= graph.beyond(link)
    return calls, others, mask & ~future


def _leaves(graph: Graph, mask: int) -> Iterator[int]:
    """The agents of a called part from which work goes nowhere but back."""
    for node in range(len(graph.agents)):
        if mask >> node & 1 and not graph.forward[node]:
            yield node


def _call(  # noqa: PLR0917 - the parts of one call
    flow: Flow, graph: Graph, node: int, calls: list[Link], others: list[Link], leaves: list[int]
) -> None:
    """The agent calls; when the answers are there it goes on, with another visit if somebody reports back to it."""
    agent = graph.agents[node]
    answers = crossing(flow, f"{agent.key} with answers")
    if graph.returners[node]:
        answers.agent = node
    _leave(flow, flow[agent.key], graph, node, calls)
    for leaf in leaves:
        flow[graph.agents[leaf].key].ways = [(answers.key, 1.0)]
    _leave(flow, answers, graph, node, others)


def _leave(flow: Flow, step: Step, graph: Graph, node: int, links: list[Link]) -> None:
    """The ways that follow a step: all unconditional links, and one of the branches."""
    if step.ways:
        return
    branches = split_branches(links)
    always = list(dict.fromkeys(link.target for link in links if link not in branches))
    chosen = _choice(graph, branches)
    if chosen and always:
        choice = crossing(flow, f"{graph.agents[node].key} decides")
        choice.ways = chosen
        always.append(choice.key)
        chosen = []
    if len(always) > 1:
        step.forks = True
    step.ways = chosen or [(target, 1.0) for target in always]


def _choice(graph: Graph, branches: list[Link]) -> list[tuple[str, float]]:
    shares: dict[str, float] = {}
    for link, share in zip(branches, branch_shares(graph, branches), strict=True):
        shares[link.target] = shares.get(link.target, 0.0) + share
    total = sum(shares.values())
    # Several branches that may be taken together count as alternatives here.
    scale = 1.0 / total if total > 0.98 else 1.0
    return [(target, share * scale) for target, share in shares.items() if share > 0.0]


def _rework_share(link: Link) -> float:
    return REWORK_SHARE if link.probability is None else link.probability
