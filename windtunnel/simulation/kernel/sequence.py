"""PCG64 as numpy computes it: a 128-bit linear congruential sequence, its halves in pairs of 64-bit numbers."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import PERIOD

Words = NDArray[np.uint64]

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_BY_HIGH = np.uint64(MULTIPLIER >> 64)
_BY_LOW = np.uint64(MULTIPLIER & (2**64 - 1))
_ROTATION = np.uint64(58)
_DROPPED = np.uint64(11)
_WORD = np.uint64(64)
_MASK = np.uint64(63)


@compiled
def multiply(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The product of two 128-bit numbers, modulo 2**128."""
    a1, a0 = a_low >> _HALF, a_low & _LOW
    b1, b0 = b_low >> _HALF, b_low & _LOW
    low, middle, other = a0 * b0, a1 * b0, a0 * b1
    carry = (low >> _HALF) + (middle & _LOW) + (other & _LOW)
    high = a1 * b1 + (middle >> _HALF) + (other >> _HALF) + (carry >> _HALF)
    return high + a_high * b_low + a_low * b_high, a_low * b_low


@compiled
def add(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The sum of two 128-bit numbers, modulo 2**128."""
    low = a_low + b_low
    return a_high + b_high + np.uint64(low < a_low), low


@compiled
def uniforms(state: Words, origin: Words, into: Floats) -> None:
    """Fill `into` with the next numbers in (0, 1) of the stream whose state this is, and move it on.

    `origin` is the state and the step of the whole sequence, high half first.
    """
    high, low, step_high, step_low = state[0], state[1], origin[2], origin[3]
    for place in range(into.size):
        high, low = multiply(high, low, _BY_HIGH, _BY_LOW)
        high, low = add(high, low, step_high, step_low)
        mixed, turn = high ^ low, high >> _ROTATION
        raw = (mixed >> turn) | (mixed << ((_WORD - turn) & _MASK))
        into[place] = (np.float64(raw >> _DROPPED) + 0.5) * 2.0**-53
    state[0], state[1] = high, low


@lru_cache(4_096)
def jump(distance: int) -> tuple[int, int]:
    """(a, g): so many steps take state s with increment i to a * s + g * i."""
    a, g = 1, 0
    by, add_up = MULTIPLIER, 1
    while distance:
        if distance & 1:
            a, g = a * by % PERIOD, (g * by + add_up) % PERIOD
        add_up = (by + 1) * add_up % PERIOD
        by = by * by % PERIOD
        distance >>= 1
    return a, g
