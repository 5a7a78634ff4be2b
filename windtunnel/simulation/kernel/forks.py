"""Forks and joins in compiled code: the rules of `simulation.tokens` on arrays."""

import numpy as np

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.kernel.workspace import Forks, Tokens
from windtunnel.simulation.tokens import ALONE


@compiled
def begin_fork(forks: Forks, group: int, outer: int, branches: int) -> None:
    """A token meets a fork: `group` is its number, `outer` the fork that it is inside of."""
    forks.outer[group], forks.branches[group], forks.left[group] = outer, branches, 0
    forks.met[group], forks.helped[group], forks.flawed[group] = False, False, False
    for join in range(forks.joined.shape[1]):
        forks.joined[group, join], forks.joined_helped[group, join], forks.joined_flawed[group, join] = 0, False, 0


@compiled
def make_branch(tokens: Tokens, branch: int, token: int) -> None:
    """One more token of a task, like the one that met the fork."""
    task = tokens.task[token]
    tokens.task[branch], tokens.group[branch] = task, tokens.group[token]
    tokens.helped[branch], tokens.flawed[branch] = tokens.helped[token], tokens.flawed[token]
    for place in range(tokens.reworked.shape[1]):
        tokens.reworked[branch, place] = tokens.reworked[token, place]
    tokens.live[task] += 1


@compiled
def join(t: Tables, forks: Forks, tokens: Tokens, token: int, node: int) -> int:
    """How many tokens of its fork came to this join so far; the one that meets the quorum goes on for all."""
    group, place, quorum = tokens.group[token], t.join_place[node], t.join[node]
    forks.joined[group, place] += 1
    came = forks.joined[group, place]
    if came <= quorum:
        forks.joined_helped[group, place] |= tokens.helped[token]
        forks.joined_flawed[group, place] += np.int64(tokens.flawed[token])
    if came == quorum:
        forks.met[group] = True
        tokens.group[token] = forks.outer[group]
        tokens.helped[token] = forks.joined_helped[group, place]
        flawed = forks.joined_flawed[group, place]
        tokens.flawed[token] = flawed * 2 > quorum if t.vote[node] else flawed > 0
    return int(came)


@compiled
def leave(forks: Forks, group: int, helped: bool, flawed: bool) -> tuple[bool, bool, bool]:
    """A token of this fork leaves the network: whether its task waits for no other, was helped, and is flawed."""
    while group != ALONE:
        forks.left[group] += 1
        forks.helped[group] |= helped
        forks.flawed[group] |= flawed
        if forks.met[group] or forks.left[group] < forks.branches[group]:
            return False, False, False
        helped, flawed = forks.helped[group], forks.flawed[group]
        group = forks.outer[group]
    return True, helped, flawed
