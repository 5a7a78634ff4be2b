"""What the resilient loop keeps per node: servers, line, safeguards, numbers drawn ahead, and what was counted."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf

import numpy as np

from windtunnel.simulation.ahead import Block, Supply
from windtunnel.simulation.extras import Extras
from windtunnel.simulation.network import LEAVES, Network
from windtunnel.simulation.outcome import NodeStatistics
from windtunnel.simulation.randomness import Purpose, Streams
from windtunnel.simulation.safeguards import Bucket, Budget, Circuit
from windtunnel.simulation.working_hours import Calendar

Attempt = tuple[float, int]
"""How long it takes, and 1 when it fails, else 0."""


@dataclass(slots=True)
class Place:
    """One node during one replication."""

    number: int
    key: str
    servers: int
    attempts_max: int
    backoff: float
    jitter: float
    fork: bool
    join: int
    join_place: int
    routes: tuple[int, ...]
    tokens: float
    bucket: Bucket | None
    budget: Budget | None
    circuit: Circuit | None
    calendar: Calendar | None
    services: Supply[Attempt]
    fallback: Supply[Attempt] | None
    jitters: Supply[float]
    targets: Supply[int]
    flaws: Supply[bool] | None
    catches: Supply[bool] | None
    rework: int
    rework_rounds: int
    vote: bool
    busy: int = 0
    queue: deque[tuple[int, int, float]] = field(default_factory=deque)
    attempts: int = 0
    failures: int = 0
    visits: int = 0
    busy_ms: float = 0.0
    wait_ms: float = 0.0
    retries: int = 0
    throttled: int = 0
    delayed: int = 0
    short_circuited: int = 0
    over_budget: int = 0
    fallbacks: int = 0
    fallback_failures: int = 0
    flawed: int = 0
    caught: int = 0
    late: int = 0
    queue_max: int = 0
    counted_busy_ms: float = 0.0
    counted_wait_ms: float = 0.0
    counted_visits: int = 0

    def mark(self, *, begins: bool, ends: bool) -> None:
        """The time of what is `counted` begins, or ends, or both."""
        # Attempts begun or refused, less retries planned: so many visits came to their first attempt.
        tried = self.attempts + self.busy + self.short_circuited - self.retries
        sign = ends - begins
        self.counted_busy_ms += sign * self.busy_ms
        self.counted_wait_ms += sign * self.wait_ms
        self.counted_visits += sign * tried

    def after(self) -> tuple[int, ...]:
        """Where a token goes after a success: along all routes of a fork, else along one; nowhere is out."""
        if self.fork:
            return self.routes
        target = self.targets.take()
        return () if target == LEAVES else (target,)

    def statistics(self) -> NodeStatistics:
        """What was counted."""
        return NodeStatistics(
            key=self.key,
            attempts=self.attempts,
            failures=self.failures,
            visits=self.visits,
            busy_ms=self.busy_ms,
            wait_ms=self.wait_ms,
            retries=self.retries,
            throttled=self.throttled,
            delayed=self.delayed,
            short_circuited=self.short_circuited,
            opened=self.circuit.opened if self.circuit else 0,
            over_budget=self.over_budget,
            fallbacks=self.fallbacks,
            fallback_failures=self.fallback_failures,
            flawed=self.flawed,
            caught=self.caught,
            late=self.late,
            queue_max=self.queue_max,
            counted_busy_ms=self.counted_busy_ms,
            counted_wait_ms=self.counted_wait_ms,
            counted_visits=self.counted_visits,
        )


def lay_out(network: Network, extras: Extras, streams: Streams, first: Sequence[Block]) -> list[Place]:
    """The nodes of a network before anything has happened; `first` is what was drawn for them already, if anything."""
    buckets = [
        Bucket(rate, burst, waits=waits)
        for rate, burst, waits in zip(extras.rate, extras.burst, extras.waits, strict=True)
    ]
    blocks = first or [([], [], [])] * len(network.keys)
    return [_place(network, extras, streams, buckets, node=node, block=block) for node, block in enumerate(blocks)]


def _place(
    network: Network, extras: Extras, streams: Streams, buckets: list[Bucket], *, node: int, block: Block
) -> Place:
    stream = network.stream[node]

    def services(start: int, count: int) -> list[Attempt]:
        uniforms = partial(streams.uniforms, node=stream, start=start, count=count)
        durations, failed = network.draw_attempts(node, uniforms, count)
        return list(zip(durations.tolist(), failed.astype(np.int8).tolist(), strict=True))

    def fallbacks(start: int, count: int) -> list[Attempt]:
        draws = streams.uniforms(Purpose.FALLBACK_SERVICE, stream, start, count)
        chances = streams.uniforms(Purpose.FALLBACK_FAILURE, stream, start, count)
        failed = chances < extras.fallback_failure[node]
        times = extras.fallback_durations(node, draws)
        return list(zip(times.tolist(), failed.astype(np.int8).tolist(), strict=True))

    def jitters(start: int, count: int) -> list[float]:
        pauses: list[float] = (
            1.0 - extras.jitter[node] * streams.uniforms(Purpose.JITTER, stream, start, count)
        ).tolist()
        return pauses

    def targets(start: int, count: int) -> list[int]:
        ends = network.draw_targets(node, partial(streams.uniforms, node=stream, start=start, count=count), count)
        listed: list[int] = ends.tolist()
        return listed

    def chances(purpose: Purpose, chance: float) -> Callable[[int, int], list[bool]]:
        return lambda start, count: (streams.uniforms(purpose, stream, start, count) < chance).tolist()

    window, quota = extras.breaker_window[node], extras.quota[node]
    return Place(
        number=node,
        key=network.keys[node],
        servers=network.servers[node],
        attempts_max=network.attempts[node],
        backoff=network.backoff[node],
        jitter=extras.jitter[node],
        fork=extras.fork[node],
        join=extras.join[node],
        join_place=extras.join_place[node],
        routes=network.target[network.start[node] : network.start[node + 1]],
        tokens=extras.tokens[node],
        bucket=buckets[quota] if quota >= 0 else None,
        budget=Budget(extras.budget[node]) if extras.budget[node] != inf else None,
        circuit=Circuit(window, extras.breaker_failures[node], extras.breaker_open[node]) if window else None,
        calendar=extras.hours[node],
        services=Supply(services, list(zip(block[0], block[1], strict=True))),
        fallback=Supply(fallbacks) if extras.fallback[node] else None,
        jitters=Supply(jitters),
        targets=Supply(targets, block[2]),
        flaws=Supply(chances(Purpose.FLAW, extras.flaw[node])) if extras.flaw[node] else None,
        catches=Supply(chances(Purpose.CATCH, extras.catch[node])) if extras.catch[node] else None,
        rework=extras.rework[node],
        rework_rounds=extras.rework_rounds[node],
        vote=extras.vote[node],
    )
