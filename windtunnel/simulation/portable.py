"""Mathematics that gives the same bits on every machine: additions, multiplications, divisions and square roots only.

The mathematical libraries of two machines differ in the last bits of `exp` and `log`, and so do numpy's own versions
for different processors. IEEE 754 fixes the four basic operations and the square root, so series built from them are
the same everywhere. Errors are a few units in the last place.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first has so few digits that its product with an exponent is exact.
LN2_HIGH = 0.693147180369123816490
LN2_LOW = 1.90821492927058770002e-10
SQRT_HALF = 0.7071067811865476

EXP_SERIES = tuple(1.0 / float(np.prod(np.arange(1, n + 1, dtype=np.float64))) for n in range(13, -1, -1))
LOG_SERIES = tuple(2.0 / n for n in range(23, 0, -2))

# Percentage points of the normal distribution: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
CENTRE_UP = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
CENTRE_DOWN = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
TAIL_UP = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
TAIL_DOWN = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
FAR_UP = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
FAR_DOWN = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


def exp(x: Floats) -> Floats:
    """e to the power of each number, for results that are normal floating-point numbers."""
    power = np.rint(x * LOG2_E)
    rest = (x - power * LN2_HIGH) - power * LN2_LOW
    return np.ldexp(_series(EXP_SERIES, rest), power.astype(np.int32))


def log(x: Floats) -> Floats:
    """The natural logarithm of each positive number."""
    fraction, power = np.frexp(x)
    small = fraction < SQRT_HALF
    fraction = np.where(small, fraction * 2.0, fraction)
    power = (power - small).astype(np.float64)
    ratio = (fraction - 1.0) / (fraction + 1.0)
    return power * LN2_HIGH + (_series(LOG_SERIES, ratio * ratio) * ratio + power * LN2_LOW)


def normal_quantile(share: Floats) -> Floats:
    """The number below which a standard normal variable lies with each probability, 0 < share < 1."""
    offset = share - 0.5
    square = 0.180625 - offset * offset
    result = offset * (_series(CENTRE_UP, square) / _series(CENTRE_DOWN, square))
    outside = np.flatnonzero(np.abs(offset) > 0.425)
    if outside.size:
        side = offset[outside]
        depth = np.sqrt(-log(np.where(side < 0.0, share[outside], 1.0 - share[outside])))
        near, far = depth - 1.6, depth - 5.0
        tail = np.where(
            depth <= 5.0,
            _series(TAIL_UP, near) / _series(TAIL_DOWN, near),
            _series(FAR_UP, far) / _series(FAR_DOWN, far),
        )
        result[outside] = np.where(side < 0.0, -tail, tail)
    return result


def _series(coefficients: tuple[float, ...], x: Floats) -> Floats:
    """The polynomial with these coefficients, highest power first, by Horner's rule."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total
