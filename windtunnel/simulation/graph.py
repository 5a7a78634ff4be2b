"""An architecture as the simulation walks it: forward links that form no cycle, and links that lead back."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from windtunnel.domain.architectures import AgentRole, Architecture, Link, LinkKind, NetworkAgent, Tool


@dataclass(frozen=True)
class Graph:
    """Agents are numbered in their order; sets of agents are bit masks (at most 64 agents).

    `forward` and `rework` and `returns` hold each agent's outgoing links: onward, back for another round, and back
    with a result. `reach` holds the agents that work can still visit going forward.
    """

    architecture: Architecture
    index: dict[str, int]
    tools: dict[str, Tool]
    forward: tuple[tuple[Link, ...], ...]
    rework: tuple[tuple[Link, ...], ...]
    returns: tuple[tuple[Link, ...], ...]
    reach: tuple[int, ...]

    @property
    def agents(self) -> tuple[NetworkAgent, ...]:
        """The agents, by number."""
        return self.architecture.agents

    def at(self, key: str) -> int:
        """The number of the agent with this key."""
        return self.index[key]

    def beyond(self, link: Link) -> int:
        """The agents that work may visit once it took this link."""
        target = self.index[link.target]
        return 1 << target | self.reach[target]

    @cached_property
    def onward(self) -> frozenset[Link]:
        """All forward links."""
        return frozenset(link for links in self.forward for link in links)

    @cached_property
    def gathers(self) -> tuple[bool, ...]:
        """Which agents bring several forward links together, so that they wait for all that can still come."""
        incoming = Counter(self.index[link.target] for link in self.onward)
        return tuple(incoming[node] > 1 for node in range(len(self.agents)))

    @cached_property
    def returners(self) -> tuple[int, ...]:
        """For each agent: the agents whose work can come back to it as a result."""
        found = [0] * len(self.agents)
        for source, links in enumerate(self.returns):
            ancestors = sum(1 << node for node, reach in enumerate(self.reach) if node == source or reach >> source & 1)
            for link in links:
                found[self.index[link.target]] |= ancestors
        return tuple(found)

    def is_person(self, node: int) -> bool:
        """True for a human in the loop."""
        return self.agents[node].role is AgentRole.HUMAN


def graph_of(architecture: Architecture) -> Graph:
    """Read the architecture once: links that would close a cycle lead back, all others forward."""
    index = {agent.key: number for number, agent in enumerate(architecture.agents)}
    usable = [link for link in architecture.links if link.source in index and link.target in index]
    plain = [link for link in usable if link.kind is not LinkKind.FEEDBACK]
    back = _closing_a_cycle(architecture, index, plain)
    reach = [0] * len(index)
    for link in plain:
        if link.key not in back:
            _extend(reach, index[link.source], index[link.target])
    for link in usable:
        if link.kind is LinkKind.FEEDBACK:
            source, target = index[link.source], index[link.target]
            if source == target or reach[target] >> source & 1:
                back.add(link.key)
            else:
                _extend(reach, source, target)
    leaving: list[list[Link]] = [[] for _ in index]
    for link in usable:
        leaving[index[link.source]].append(link)
    forward = tuple(tuple(link for link in links if link.key not in back) for links in leaving)
    backward = tuple(tuple(link for link in links if link.key in back) for links in leaving)
    rework = tuple(
        tuple(link for link in links if _asks_again(link, forward[node])) for node, links in enumerate(backward)
    )
    returns = tuple(
        tuple(link for link in links if not _asks_again(link, forward[node])) for node, links in enumerate(backward)
    )
    tools = {tool.key: tool for tool in architecture.tools}
    return Graph(architecture, index, tools, forward, rework, returns, tuple(reach))


def _asks_again(link: Link, onward: tuple[Link, ...]) -> bool:
    # Feedback beside a way onward, or with a condition, is a question of doing it again; otherwise it is a report.
    if link.kind is LinkKind.FEEDBACK:
        return bool(onward) or link.probability is not None or link.condition is not None
    return link.source == link.target


def _closing_a_cycle(architecture: Architecture, index: dict[str, int], links: list[Link]) -> set[str]:
    leaving: dict[int, list[Link]] = {}
    for link in links:
        leaving.setdefault(index[link.source], []).append(link)
    back: set[str] = set()
    done: set[int] = set()
    open_nodes: set[int] = set()

    def visit(node: int) -> None:
        open_nodes.add(node)
        for link in leaving.get(node, ()):
            target = index[link.target]
            if target in open_nodes:
                back.add(link.key)
            elif target not in done:
                visit(target)
        open_nodes.discard(node)
        done.add(node)

    starts = [index[key] for key in architecture.entry_points if key in index]
    for start in [*starts, *range(len(index))]:
        if start not in done:
            visit(start)
    return back


def _extend(reach: list[int], source: int, target: int) -> None:
    gained = 1 << target | reach[target]
    for node in range(len(reach)):
        if node == source or reach[node] >> source & 1:
            reach[node] |= gained
