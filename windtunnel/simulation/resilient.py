"""The discrete-event core for networks with safeguards, forks, quotas or hours: the plain loop's rules, and theirs.

An event is (time, sequence, node, token, attempts before, state). On a network without any of it, this loop and the
plain one agree to the last bit.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf

import numpy as np

from windtunnel.simulation.ahead import Block
from windtunnel.simulation.extras import Extras
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Counts, Outcome, Step
from windtunnel.simulation.places import Place, lay_out
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Streams
from windtunnel.simulation.tokens import ALONE, Tokens

_OK, _FAILED, _AGAIN, _BRANCH, _FALLBACK_OK, _FALLBACK_FAILED = range(6)


def simulate_resilient(
    network: Network,
    extras: Extras,
    streams: Streams,
    born: Floats,
    entries: Counts,
    *,
    first: Sequence[Block] = (),
    warmup: int = 0,
    told: bool = False,
) -> Outcome:
    """Run one replication, as `core.simulate`; `first` is what was drawn for each node already, if anything."""
    run = _Run(lay_out(network, extras, streams, first), Tokens(extras, born.size), told=told)
    run.go(born.tolist(), entries.tolist(), warmup)
    return Outcome(
        born_ms=born,
        left_ms=np.array(run.tokens.left_ms),
        succeeded=np.array(run.tokens.succeeded, dtype=np.bool_),
        delivered=np.array(run.tokens.delivered, dtype=np.bool_),
        degraded=np.array(run.tokens.degraded_tasks, dtype=np.bool_),
        steps=run.steps,
        end_ms=run.now,
        nodes=tuple(place.statistics() for place in run.places),
        log=run.log,
    )


class _Run:
    """One replication under way."""

    __slots__ = ("_agenda", "_begun", "_sequence", "log", "now", "places", "steps", "tokens")

    def __init__(self, places: list[Place], tokens: Tokens, *, told: bool) -> None:
        self.places, self.tokens = places, tokens
        self.log: list[Step] | None = [] if told else None
        self.now = 0.0
        self.steps = 0
        self._sequence = 0
        self._agenda: list[tuple[float, int, int, int, int, int]] = [(inf, 0, 0, 0, 0, 0)]
        # What each token's attempt was told by the breaker when it began.
        self._begun: dict[int, int] = {}

    def go(self, born: list[float], entries: list[int], warmup: int) -> None:
        """Until every token is gone."""
        agenda, places, tokens = self._agenda, self.places, self.tokens
        arrived, tasks = 0, len(born)
        next_arrival = born[0] if tasks else inf
        borders = (min(warmup, tasks - 1), tasks - 1)
        while True:
            if agenda[0][0] > next_arrival:
                self.now = next_arrival
                for place in places if arrived in borders else ():
                    place.mark(begins=arrived == borders[0], ends=arrived == borders[1])
                self._enter(places[entries[arrived]], tokens.new(arrived))
                arrived += 1
                next_arrival = born[arrived] if arrived < tasks else inf
                continue
            if agenda[0][0] == inf:
                return
            self.now, _, node, token, attempt, state = heappop(agenda)
            place = places[node]
            if state in (_OK, _FAILED):
                self._end(place, token, attempt, failed=state == _FAILED)
            elif state == _AGAIN:
                self._arrive(place, token, attempt)
            elif state == _BRANCH:
                self._enter(place, token)
            elif state == _FALLBACK_OK:
                tokens.degraded[token] = True
                self._go_on(place, token)
            else:
                tokens.vanish(token, self.now)

    def _plan(self, at: float, place: Place, token: int, attempt: int, state: int) -> None:
        self._sequence += 1
        heappush(self._agenda, (at, self._sequence, place.number, token, attempt, state))

    def _enter(self, place: Place, token: int) -> None:
        """A token comes to a node: a visit begins, unless a join waits for more."""
        tokens = self.tokens
        if place.join and tokens.group[token] != ALONE:
            came = tokens.join(token, place.join_place, place.join, vote=place.vote)
            if came != place.join:
                place.late += came > place.join
                tokens.vanish(token, self.now)
                return
        place.visits += 1
        if place.budget:
            place.budget.earn()
        self._arrive(place, token, 0)

    def _arrive(self, place: Place, token: int, attempt: int) -> None:
        """An attempt wants a server."""
        if place.circuit and place.circuit.refuses(self.now):
            place.short_circuited += 1
            self._give_up(place, token)
        elif place.busy < place.servers:
            place.busy += self._begin(place, token, attempt)
        else:
            place.queue.append((token, attempt, self.now))
            place.queue_max = max(place.queue_max, len(place.queue))

    def _begin(self, place: Place, token: int, attempt: int) -> bool:
        """A server would take an attempt; False when it is refused after all."""
        now = start = self.now
        if place.circuit:
            if place.circuit.refuses(now):
                place.short_circuited += 1
                self._give_up(place, token)
                return False
            self._begun[token] = place.circuit.begin()
        if place.bucket:
            start = place.bucket.take(place.tokens, now)
            if start == inf:
                place.throttled += 1
                self._count(place, token, attempt, failed=True)
                self._try_again(place, token, attempt)
                return False
            place.delayed += start > now
        if place.calendar:
            start = place.calendar.begin(start)
        if start > now:
            place.wait_ms += start - now
        duration, failed = place.services.take()
        place.busy_ms += duration
        end = place.calendar.finish(start, duration) if place.calendar else start + duration
        self._plan(end, place, token, attempt, _FAILED if failed else _OK)
        return True

    def _end(self, place: Place, token: int, attempt: int, *, failed: bool) -> None:
        """An attempt ended: its server takes the next one in line, and its token goes on or tries again."""
        self._count(place, token, attempt, failed=failed)
        while place.queue:
            other, other_attempt, since = place.queue.popleft()
            place.wait_ms += self.now - since
            if self._begin(place, other, other_attempt):
                break
        else:
            place.busy -= 1
        if failed:
            self._try_again(place, token, attempt)
        else:
            self._check(place, token)

    def _check(self, place: Place, token: int) -> None:
        """An attempt succeeded: a flaw in what came may be caught, and a new one made."""
        tokens = self.tokens
        if tokens.flawed[token] and place.catches and place.catches.take():
            if place.rework < 0:
                place.caught += 1
                tokens.vanish(token, self.now)
                return
            if tokens.rework(token, place.number, place.rework_rounds):
                place.caught += 1
                self._enter(self.places[place.rework], token)
                return
        if place.flaws and place.flaws.take():
            place.flawed += 1
            tokens.flawed[token] = True
        self._go_on(place, token)

    def _count(self, place: Place, token: int, attempt: int, *, failed: bool) -> None:
        self.steps += 1
        place.attempts += 1
        place.failures += failed
        if self.log is not None:
            self.log.append((self.now, place.number, self.tokens.task[token], attempt, not failed))
        if place.circuit:
            place.circuit.end(self._begun.pop(token), self.now, failed=failed)

    def _try_again(self, place: Place, token: int, attempt: int) -> None:
        """After a failed attempt: back off, if attempts and budget allow it."""
        attempt += 1
        if attempt >= place.attempts_max:
            self._give_up(place, token)
        elif place.budget and not place.budget.spend():
            place.over_budget += 1
            self._give_up(place, token)
        else:
            place.retries += 1
            pause = place.backoff * (1 << (attempt - 1))
            if place.jitter:
                pause *= place.jitters.take()
            self._plan(self.now + pause, place, token, attempt, _AGAIN)

    def _give_up(self, place: Place, token: int) -> None:
        """A visit ends without success: the fallback answers, if there is one."""
        if place.fallback:
            duration, failed = place.fallback.take()
            place.fallbacks += 1
            place.fallback_failures += failed
            self._plan(self.now + duration, place, token, 0, _FALLBACK_FAILED if failed else _FALLBACK_OK)
        else:
            self.tokens.vanish(token, self.now)

    def _go_on(self, place: Place, token: int) -> None:
        """A visit ended in success."""
        targets = place.after()
        if not targets:
            self.tokens.leave(token, self.now)
            return
        if place.fork:
            branches = self.tokens.fork(token, len(targets))
            for branch, target in zip(branches[1:], targets[1:], strict=True):
                self._plan(self.now, self.places[target], branch, 0, _BRANCH)
        self._enter(self.places[targets[0]], token)
