"""Forks and joins in compiled code: the rules of `simulation.tokens` on arrays."""

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.workspace import Forks, Tokens
from windtunnel.simulation.tokens import ALONE


@compiled
def begin_fork(forks: Forks, group: int, outer: int, branches: int) -> None:
    """A token meets a fork: `group` is its number, `outer` the fork that it is inside of."""
    forks.outer[group], forks.branches[group], forks.left[group] = outer, branches, 0
    forks.met[group], forks.helped[group] = False, False
    for join in range(forks.joined.shape[1]):
        forks.joined[group, join], forks.joined_helped[group, join] = 0, False


@compiled
def make_branch(tokens: Tokens, branch: int, token: int, group: int) -> None:
    """One more token of a task, inside of a fork."""
    tokens.task[branch], tokens.group[branch] = tokens.task[token], group
    tokens.helped[branch] = tokens.helped[token]
    tokens.live[tokens.task[token]] += 1


@compiled
def join(forks: Forks, tokens: Tokens, token: int, place: int, quorum: int) -> int:
    """How many tokens of its fork came to this join so far; the one that meets the quorum goes on for all."""
    group = tokens.group[token]
    forks.joined[group, place] += 1
    came = forks.joined[group, place]
    if came <= quorum and tokens.helped[token]:
        forks.joined_helped[group, place] = True
    if came == quorum:
        forks.met[group] = True
        tokens.group[token] = forks.outer[group]
        tokens.helped[token] = forks.joined_helped[group, place]
    return int(came)


@compiled
def leave(forks: Forks, group: int, helped: bool) -> tuple[bool, bool]:
    """A token of this fork leaves the network: whether its task waits for no other, and was helped by a fallback."""
    while group != ALONE:
        forks.left[group] += 1
        if helped:
            forks.helped[group] = True
        if forks.met[group] or forks.left[group] < forks.branches[group]:
            return False, False
        helped = forks.helped[group]
        group = forks.outer[group]
    return True, helped
