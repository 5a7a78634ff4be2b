"""Makes any answer of the Architecture Planner a valid network: unique keys, no dead arrows, everything reachable."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from windtunnel.domain.architectures import AgentRole, LinkKind, PlanningWarning
from windtunnel.domain.networks import distances
from windtunnel.domain.policy import ARCHITECTURE_MAX_AGENTS
from windtunnel.planning.answers import AgentAnswer, ArchitectAnswer, LinkAnswer
from windtunnel.planning.naming import NAME_MAX_CHARS, clean, fold_all, slug, unique

LINKS_MAX = 6 * ARCHITECTURE_MAX_AGENTS
_COPIES_MAX = 10_000
_REWORK = 0.3


@dataclass(slots=True)
class Network:
    """Agents and links in order. `names` leads from every key or name that an answer may use to the agent's key."""

    agents: list[AgentAnswer] = field(default_factory=list)
    links: list[LinkAnswer] = field(default_factory=list)
    entry_points: list[str] = field(default_factory=list)
    exit_points: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    warnings: list[PlanningWarning] = field(default_factory=list)

    def key(self, name: str) -> str | None:
        """The key of the agent that an answer calls `name`, by key or name, in any spelling."""
        return self.names.get(name) or self.names.get(slug(name))

    def keys(self, names: Iterable[str]) -> list[str]:
        """The keys of the agents that an answer names; unknown ones left out, each once."""
        return list(dict.fromkeys(key for name in names if (key := self.key(name)) is not None))

    def layers(self) -> dict[str, int]:
        """Distance of each agent from the entry points."""
        return distances(self.successors(), self.entry_points)

    def successors(self) -> dict[str, list[str]]:
        """Where the links lead."""
        found: dict[str, list[str]] = {agent.key: [] for agent in self.agents}
        for link in self.links:
            found[link.source].append(link.target)
        return found


def repaired(answer: ArchitectAnswer) -> Network:
    """A network that keeps as much of the answer as can be kept; what was changed is named in `warnings`."""
    network = Network()
    _add_agents(network, answer.agents)
    _add_links(network, answer.links)
    network.entry_points = network.keys(answer.entry_points)
    _find_entries(network)
    _reach_all(network)
    _mark_loops(network)
    network.exit_points = network.keys(answer.exit_points)
    _find_exits(network)
    return network


def role_of(name: str) -> AgentRole:
    """The role called `name`; WORKER when there is no such role."""
    word = slug(name).upper()
    return AgentRole(word) if word in AgentRole.__members__ else _ROLE_WORDS.get(word.lower(), AgentRole.WORKER)


def kind_of(name: str) -> LinkKind:
    """The link kind called `name`; HANDOFF when there is no such kind."""
    word = slug(name).upper()
    return LinkKind(word) if word in LinkKind.__members__ else LinkKind.HANDOFF


_ROLE_WORDS: dict[str, AgentRole] = {
    "manager": AgentRole.ORCHESTRATOR, "supervisor": AgentRole.ORCHESTRATOR, "coordinator": AgentRole.ORCHESTRATOR,
    "classifier": AgentRole.ROUTER, "triage": AgentRole.ROUTER, "reviewer": AgentRole.CRITIC,
    "evaluator": AgentRole.CRITIC, "judge": AgentRole.CRITIC, "verifier": AgentRole.CRITIC,
    "guard": AgentRole.GUARDRAIL, "moderator": AgentRole.GUARDRAIL, "approver": AgentRole.HUMAN,
    "person": AgentRole.HUMAN, "user": AgentRole.HUMAN, "store": AgentRole.MEMORY, "retriever": AgentRole.MEMORY,
    "tool": AgentRole.INTEGRATION, "executor": AgentRole.INTEGRATION, "expert": AgentRole.SPECIALIST,
}  # fmt: skip


def _add_agents(network: Network, agents: Sequence[AgentAnswer]) -> None:
    kept: dict[str, AgentAnswer] = {}
    twins: dict[str, str] = {}
    collapsed = 0
    crowded = len(agents) > ARCHITECTURE_MAX_AGENTS
    for agent in agents:
        name = clean(agent.name, NAME_MAX_CHARS) or clean(agent.key, NAME_MAX_CHARS) or "Agent"
        twin = fold_all(name).rstrip("0123456789 #-_.") if crowded else ""
        host = twins.get(twin) if twin else None
        if host is None and len(kept) == ARCHITECTURE_MAX_AGENTS:
            host = _same_role(kept.values(), agent.role)
        if host is not None:
            kept[host].concurrency = min(_COPIES_MAX, kept[host].concurrency + max(1, agent.concurrency))
            collapsed += 1
            key = host
        else:
            key = unique(slug(agent.key) or slug(name), kept)
            kept[key] = AgentAnswer(
                key=key,
                name=name,
                role=role_of(agent.role).value,
                responsibility=clean(agent.responsibility) or name,
                instructions=clean(agent.instructions, 2_000) or clean(agent.responsibility) or name,
                concurrency=max(1, min(_COPIES_MAX, agent.concurrency)),
            )
            if twin:
                twins[twin] = key
        for alias in (agent.key, slug(agent.key), agent.name, slug(agent.name)):
            network.names.setdefault(alias, key)
    network.agents = list(kept.values())
    if collapsed:
        network.warnings.append(
            PlanningWarning(
                "COMPLEXITY_LIMIT",
                f"At most {ARCHITECTURE_MAX_AGENTS} agents: {collapsed} more were collapsed into copies of others.",
            )
        )


def _same_role(agents: Iterable[AgentAnswer], role: str) -> str:
    ranked = list(agents)
    return next((agent.key for agent in reversed(ranked) if agent.role == role_of(role).value), ranked[-1].key)


def _add_links(network: Network, links: Sequence[LinkAnswer]) -> None:
    dropped = 0
    seen: set[tuple[str, str, str]] = set()
    for link in links:
        source, target, kind = network.key(link.source), network.key(link.target), kind_of(link.kind).value
        if source is None or target is None:
            dropped += 1
            continue
        if source == target or (source, target, kind) in seen or len(network.links) == LINKS_MAX:
            continue
        seen.add((source, target, kind))
        share = None if link.probability is None or math.isnan(link.probability) else link.probability
        network.links.append(
            LinkAnswer(
                source=source,
                target=target,
                kind=kind,
                label=clean(link.label, 80) or "work",
                condition=clean(link.condition, 200) or None if link.condition else None,
                probability=None if share is None else round(min(1.0, max(0.0, share)), 4),
            )
        )
    if dropped:
        network.warnings.append(
            PlanningWarning("LINKS_DROPPED", f"{dropped} links named agents that do not exist and were left out.")
        )


def _find_entries(network: Network) -> None:
    if not network.entry_points:
        targets = {link.target for link in network.links if link.kind != LinkKind.FEEDBACK}
        network.entry_points = [agent.key for agent in network.agents if agent.key not in targets]
        network.entry_points = network.entry_points[:1] or [network.agents[0].key]


def _reach_all(network: Network) -> None:
    """Link what cannot be reached behind the agent listed before it."""
    added = []
    while True:
        layers = network.layers()
        lost = [agent.key for agent in network.agents if agent.key not in layers]
        if not lost:
            break
        order = [agent.key for agent in network.agents]
        targets = {link.target for link in network.links if link.source in lost}
        first = next((key for key in lost if key not in targets), lost[0])
        before = [key for key in order[: order.index(first)] if key in layers]
        source = before[-1] if before else network.entry_points[0]
        network.links.append(
            LinkAnswer(
                source=source, target=first, kind=LinkKind.DATA.value, label="work", condition=None, probability=None
            )
        )
        added.append(first)
    if added:
        network.warnings.append(
            PlanningWarning(
                "UNREACHABLE_AGENTS_LINKED", f"Agents that no work could reach were linked: {', '.join(added[:8])}."
            )
        )


def _mark_loops(network: Network) -> None:
    """Arrows that close a loop are feedback with a share below one, so that every run can end."""
    successors: dict[str, list[LinkAnswer]] = {agent.key: [] for agent in network.agents}
    for link in network.links:
        successors[link.source].append(link)
    done: set[str] = set()
    for entry in network.entry_points:
        if entry in done:
            continue
        path = {entry: iter(successors[entry])}
        while path:
            key = next(reversed(path))
            onward = next(path[key], None)
            if onward is None:
                done.add(key)
                del path[key]
            elif onward.target in path:
                onward.kind = LinkKind.FEEDBACK.value
                onward.probability = min(onward.probability if onward.probability is not None else _REWORK, 0.9)
            elif onward.target not in done:
                path[onward.target] = iter(successors[onward.target])
    _share_rest(successors)


def _share_rest(successors: Mapping[str, Sequence[LinkAnswer]]) -> None:
    """Where some of the work goes back or aside, the one way on takes the rest; shares never exceed one."""
    for links in successors.values():
        shared = [link for link in links if link.probability is not None]
        total = sum(link.probability or 0.0 for link in shared)
        if total > 1:
            for link in shared:
                link.probability = math.floor(10_000 * (link.probability or 0.0) / total) / 10_000
        # A call returns to its caller and takes nothing away.
        onward = [link for link in links if link.probability is None and link.kind != LinkKind.CALL]
        if 0 < total < 1 and len(onward) == 1:
            onward[0].probability = round(1 - total, 4)


def _find_exits(network: Network) -> None:
    if not network.exit_points:
        sources = {link.source for link in network.links if link.kind != LinkKind.FEEDBACK}
        leaves = [agent.key for agent in network.agents if agent.key not in sources]
        network.exit_points = leaves or [network.agents[-1].key]
