"""Random numbers of the discrete-event core: many independent streams from one seed, drawn in blocks.

A stream is a stretch of one PCG64 sequence, so that any part of any stream can be drawn without drawing what lies
before. Stretches begin at multiples of the golden ratio of the period, which keeps them far apart: those of 100,000
nodes by more than 2**100 numbers. Which numbers a node sees depends on (seed, replication, purpose, node) and on how
many it has used, never on the size of the blocks or on other nodes: two variants of a network meet common random
numbers.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from windtunnel.simulation.portable import Floats

Raw = NDArray[np.uint64]

PERIOD = 2**128
# Odd, and no power of two: streams 2**k apart share their k lowest bits at every step; their numbers are correlated.
_STEP = 0x9E3779B97F4A7C15F39CC0605CEDC835
_PURPOSES = 16


class Purpose(IntEnum):
    """What numbers are drawn for."""

    ARRIVALS = 0
    SERVICE = 1
    FAILURE = 2
    ROUTING = 3
    JITTER = 4
    FALLBACK_SERVICE = 5
    FALLBACK_FAILURE = 6
    FLAW = 7
    CATCH = 8


def beginning(purpose: Purpose, node: int) -> int:
    """Where in the sequence the numbers of a node for a purpose begin."""
    return (node * _PURPOSES + purpose) * _STEP % PERIOD


def seeds(seed: int, replication: int) -> np.random.SeedSequence:
    """What the sequence of one replication is seeded with."""
    return np.random.SeedSequence((seed, replication))


class Streams:
    """The streams of one replication. Only PCG64's raw numbers are used: numpy promises never to change them."""

    __slots__ = ("_at", "_bits")

    def __init__(self, seed: int, replication: int) -> None:
        self._bits = np.random.PCG64(seeds(seed, replication))
        self._at = 0

    def uniforms(self, purpose: Purpose, node: int, start: int, count: int) -> Floats:
        """`count` numbers in (0, 1) of a stream, from number `start` on."""
        return _uniforms(self.raw(purpose, node, start, count))

    def raw(self, purpose: Purpose, node: int, start: int, count: int) -> Raw:
        """The same numbers as they come."""
        place = beginning(purpose, node) + start
        if place != self._at:
            self._bits.advance((place - self._at) % PERIOD)
        self._at = place + count
        return self._bits.random_raw(count)


class ManyStreams:
    """The streams of several replications."""

    __slots__ = ("_each",)

    def __init__(self, each: Sequence[Streams]) -> None:
        self._each = each

    @property
    def count(self) -> int:
        """How many replications."""
        return len(self._each)

    def uniforms(self, purpose: Purpose, node: int, start: int, count: int) -> Floats:
        """`count` numbers in (0, 1) of a stream of the first replication, then those of the second, ..."""
        raw = [streams.raw(purpose, node, start, count) for streams in self._each]
        return _uniforms(np.concatenate(raw)) if raw else np.empty(0)


def _uniforms(raw: Raw) -> Floats:
    # 53 bits and a half, so that neither end of the interval is ever reached.
    return ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
