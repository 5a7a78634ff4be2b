"""Which links work takes when an agent is done: for another round, one of several branches, or all of them."""

from collections.abc import Sequence

from windtunnel.domain.architectures import Link, LinkKind
from windtunnel.simulation.dice import Dice, Key
from windtunnel.simulation.graph import Graph

REWORK_SHARE = 0.3
"""How often feedback without a stated probability asks for another round."""


def asks_for_rework(links: Sequence[Link], dice: Dice, *key: Key) -> Link | None:
    """The link along which work goes back for another round, or None when it goes on."""
    draw = dice.uniform(*key, "rework")
    for link in links:
        share = REWORK_SHARE if link.probability is None else link.probability
        if draw < share:
            return link
        draw -= share
    return None


def onward(graph: Graph, node: int, wanted: int, dice: Dice, *key: Key) -> list[Link]:
    """The forward links that work takes: every unconditional one, and one (or several) of the conditional ones.

    `wanted` is a set of agents: a branch that leads to one of them is preferred to what chance would choose.
    """
    links = graph.forward[node]
    branches = split_branches(links)
    taken = {link.key for link in links if link not in branches}
    taken |= _of_branches(graph, branches, wanted, dice, *key)
    return [link for link in links if link.key in taken]


def split_branches(links: Sequence[Link]) -> list[Link]:
    """The links of which work takes one (or several): the conditional ones, and several hand-offs."""
    handoffs = [link for link in links if link.kind is LinkKind.HANDOFF]
    return [
        link
        for link in links
        # Control can be handed to one agent only, so several hand-offs are alternatives even without conditions.
        if link.probability is not None or link.condition is not None or (link in handoffs and len(handoffs) > 1)
    ]


def _of_branches(graph: Graph, branches: Sequence[Link], wanted: int, dice: Dice, *key: Key) -> set[str]:
    if not branches:
        return set()
    preferred = [link for link in branches if graph.beyond(link) & wanted]
    shares = branch_shares(graph, branches)
    if sum(shares) > 1 + 1e-9:
        chosen = {
            link.key
            for link, share in zip(branches, shares, strict=True)
            if dice.uniform(*key, "branch", link.key) < share
        }
        return chosen | {link.key for link in preferred[:1]} or {branches[0].key}
    if preferred and len(preferred) < len(branches):
        return _of_branches(graph, preferred, 0, dice, *key) or {preferred[0].key}
    draw = dice.uniform(*key, "branch")
    for link, share in zip(branches, shares, strict=True):
        if draw < share:
            return {link.key}
        draw -= share
    # What the shares leave over takes none of the branches, unless it is but rounding.
    return {branches[-1].key} if sum(shares) > 0.98 else set()


def branch_shares(graph: Graph, branches: Sequence[Link]) -> list[float]:
    """How often each of an agent's branches is taken; together more than one when several may be."""
    if not branches:
        return []
    known = sum(link.probability for link in branches if link.probability is not None)
    unknown = sum(1 for link in branches if link.probability is None)
    rest = max(0.0, 1 - known) / unknown if unknown else 0.0
    shares = [rest if link.probability is None else link.probability for link in branches]
    # Shares that were stated together with a way back sum to less than one: what goes on is divided among them.
    source = graph.at(branches[0].source)
    back = sum(link.probability or 0.0 for link in graph.rework[source])
    total = sum(shares)
    if back > 0 and 0 < total <= 1 - back + 1e-9:
        return [share / total for share in shares]
    return shares
