"""The functions of `portable`, operation by operation, for blocks of numbers in compiled code.

Loops without branches and with their series written out are compiled to vector instructions: each lane does what the
plain code does, in the same order, some thirty times as fast as one number after the other.
"""

import math

import numpy as np

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.portable import (
    CENTRE_DOWN,
    CENTRE_UP,
    EXP_SERIES,
    FAR_DOWN,
    FAR_UP,
    LN2_HIGH,
    LN2_LOW,
    LOG2_E,
    LOG_SERIES,
    SQRT_HALF,
    TAIL_DOWN,
    TAIL_UP,
    Floats,
)

Series = tuple[float, ...]

_FRACTION = (1 << 52) - 1
_ONE_HALF = 1022 << 52


@compiled
def _series_8(c: Series, x: float) -> float:
    return ((((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]) * x + c[6]) * x + c[7]


@compiled
def _series_12(c: Series, x: float) -> float:
    total = (((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]) * x + c[6]
    return ((((total * x + c[7]) * x + c[8]) * x + c[9]) * x + c[10]) * x + c[11]


@compiled
def _series_14(c: Series, x: float) -> float:
    total = (((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]) * x + c[6]
    return ((((((total * x + c[7]) * x + c[8]) * x + c[9]) * x + c[10]) * x + c[11]) * x + c[12]) * x + c[13]


@compiled
def _log(x: float) -> float:
    bits = np.float64(x).view(np.int64)
    power = (bits >> 52) - 1022
    fraction = np.int64((bits & _FRACTION) | _ONE_HALF).view(np.float64)
    small = fraction < SQRT_HALF
    fraction = fraction * 2.0 if small else fraction
    power = power - 1 if small else power
    ratio = (fraction - 1.0) / (fraction + 1.0)
    return power * LN2_HIGH + (_series_12(LOG_SERIES, ratio * ratio) * ratio + power * LN2_LOW)


@compiled
def fill_logs(numbers: Floats) -> None:
    """Replace each normal positive number by its natural logarithm."""
    for place in range(numbers.size):
        numbers[place] = _log(numbers[place])


@compiled
def fill_exponentials(numbers: Floats) -> None:
    """Replace each number by e to its power."""
    for place in range(numbers.size):
        x = numbers[place]
        power = np.rint(x * LOG2_E)
        rest = (x - power * LN2_HIGH) - power * LN2_LOW
        # In two steps, so that neither power of two is out of range; only the last one can round.
        first = np.int64(power) >> 1
        second = np.int64(power) - first
        total = _series_14(EXP_SERIES, rest) * np.int64((first + 1023) << 52).view(np.float64)
        numbers[place] = total * np.int64((second + 1023) << 52).view(np.float64)


@compiled
def fill_quantiles(shares: Floats, scratch: Floats) -> None:
    """Replace each share, 0 < share < 1, by the number below which so much of a normal variable lies.

    `scratch` has room for as many numbers.
    """
    tails = 0
    for place in range(shares.size):
        share = shares[place]
        if abs(share - 0.5) > 0.425:
            scratch[tails] = share if share - 0.5 < 0.0 else 1.0 - share
            tails += 1
    for tail in range(tails):
        depth = math.sqrt(-_log(scratch[tail]))
        near = depth - 1.6
        scratch[tail] = _series_8(TAIL_UP, near) / _series_8(TAIL_DOWN, near) if depth <= 5.0 else _far(depth - 5.0)
    tails = 0
    for place in range(shares.size):
        offset = shares[place] - 0.5
        square = 0.180625 - offset * offset
        shares[place] = offset * (_series_8(CENTRE_UP, square) / _series_8(CENTRE_DOWN, square))
        if abs(offset) > 0.425:
            shares[place] = -scratch[tails] if offset < 0.0 else scratch[tails]
            tails += 1


@compiled
def _far(depth: float) -> float:
    return _series_8(FAR_UP, depth) / _series_8(FAR_DOWN, depth)


@compiled
def lognormals(draws: Floats, scratch: Floats, level: float, spread: float) -> None:
    """Replace uniform numbers by lognormal ones."""
    fill_quantiles(draws, scratch)
    for place in range(draws.size):
        draws[place] = draws[place] * spread + level
    fill_exponentials(draws)
