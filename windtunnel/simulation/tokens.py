"""The tokens of tasks: one each at first, several after a fork, one again after the join."""

from collections import Counter

from windtunnel.simulation.extras import Extras

ALONE = -1
"""The fork of a token that no fork made."""

ENDLESS = "the tokens of this network multiply without end: its forks lead back to forks too often"


def tokens_max(tasks: int) -> int:
    """How many tokens, and how many forks at work, so many tasks may make: more mean that they multiply for ever."""
    return 100_000 + 1_000 * tasks


class Tokens:
    """Every token of a replication, by number, with its task, its innermost fork, whether it is flawed, and whether a
    fallback helped it.

    A fork at work is a group: a number given each time that a token meets a fork.
    """

    __slots__ = (
        "_branches",
        "_fork_degraded",
        "_fork_flawed",
        "_fork_left",
        "_joined",
        "_joined_degraded",
        "_joined_flawed",
        "_joins",
        "_live",
        "_met",
        "_most",
        "_outer",
        "_reworked",
        "degraded",
        "degraded_tasks",
        "delivered",
        "flawed",
        "group",
        "left_ms",
        "succeeded",
        "task",
    )

    def __init__(self, extras: Extras, tasks: int) -> None:
        self._joins = extras.joins
        self._live = [0] * tasks
        self.left_ms = [0.0] * tasks
        self.succeeded = [False] * tasks
        self.delivered = [False] * tasks
        self.degraded_tasks = [False] * tasks
        self.task: list[int] = []
        self.group: list[int] = []
        self.degraded: list[bool] = []
        self.flawed: list[bool] = []
        self._reworked: dict[int, Counter[int]] = {}
        self._most = tokens_max(tasks)
        self._outer: list[int] = []
        self._branches: list[int] = []
        self._met: list[bool] = []
        self._fork_left: list[int] = []
        self._fork_degraded: list[bool] = []
        self._fork_flawed: list[bool] = []
        self._joined: list[int] = []
        self._joined_degraded: list[bool] = []
        self._joined_flawed: list[int] = []

    def new(self, task: int, group: int = ALONE, *, degraded: bool = False, flawed: bool = False) -> int:
        """The number of one more token of a task."""
        self._live[task] += 1
        self.task.append(task)
        self.group.append(group)
        self.degraded.append(degraded)
        self.flawed.append(flawed)
        return len(self.task) - 1

    def fork(self, token: int, branches: int) -> list[int]:
        """The tokens that a fork makes of one, which is the first of them."""
        group = len(self._outer)
        if len(self.task) + branches - 1 > self._most or group == self._most:
            raise ValueError(ENDLESS)
        self._outer.append(self.group[token])
        self._branches.append(branches)
        self._met.append(False)
        self._fork_left.append(0)
        self._fork_degraded.append(False)
        self._fork_flawed.append(False)
        self._joined += [0] * self._joins
        self._joined_degraded += [False] * self._joins
        self._joined_flawed += [0] * self._joins
        self.group[token] = group
        task, degraded, flawed = self.task[token], self.degraded[token], self.flawed[token]
        others = [self.new(task, group, degraded=degraded, flawed=flawed) for _ in range(branches - 1)]
        if token in self._reworked:
            self._reworked.update((other, self._reworked[token].copy()) for other in others)
        return [token, *others]

    def rework(self, token: int, node: int, rounds: int) -> bool:
        """Whether a node may have a flawed token done anew; then it is flawed no more."""
        used = self._reworked.setdefault(token, Counter())
        if used[node] >= rounds:
            return False
        used[node] += 1
        self.flawed[token] = False
        return True

    def join(self, token: int, place: int, quorum: int, *, vote: bool) -> int:
        """How many tokens of its fork came to this join so far; the one that meets the quorum goes on for all."""
        group = self.group[token]
        at = group * self._joins + place
        self._joined[at] += 1
        if self._joined[at] <= quorum:
            self._joined_degraded[at] |= self.degraded[token]
            self._joined_flawed[at] += self.flawed[token]
        if self._joined[at] == quorum:
            self._met[group] = True
            self.group[token] = self._outer[group]
            self.degraded[token] = self._joined_degraded[at]
            self.flawed[token] = self._joined_flawed[at] * 2 > quorum if vote else self._joined_flawed[at] > 0
        return self._joined[at]

    def leave(self, token: int, now: float) -> None:
        """A token leaves the network: the task is delivered when nothing more of it is waited for."""
        task, group, degraded, flawed = self.task[token], self.group[token], self.degraded[token], self.flawed[token]
        while group != ALONE:
            self._fork_left[group] += 1
            self._fork_degraded[group] |= degraded
            self._fork_flawed[group] |= flawed
            if self._met[group] or self._fork_left[group] < self._branches[group]:
                break
            degraded, flawed = self._fork_degraded[group], self._fork_flawed[group]
            group = self._outer[group]
        if group == ALONE and not self.delivered[task]:
            self.delivered[task] = True
            self.succeeded[task] = not flawed
            self.left_ms[task] = now
            self.degraded_tasks[task] = degraded and not flawed
        self.vanish(token, now)

    def vanish(self, token: int, now: float) -> None:
        """A token is lost, or dropped or merged at a join: the task has failed when it was the last one."""
        task = self.task[token]
        self._live[task] -= 1
        if not self._live[task] and not self.delivered[task]:
            self.left_ms[task] = now
