"""Service times: from a mean and a coefficient of variation to draws."""

import numpy as np

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation import portable
from windtunnel.simulation.portable import Floats


def level_and_spread(service: ServiceTime) -> tuple[float, float]:
    """Mu and sigma of a lognormal service time; for the others, and without variation, the mean and zero."""
    if service.distribution is not Distribution.LOGNORMAL or service.cv <= 0 or service.mean_ms <= 0:
        return service.mean_ms, 0.0
    variance = portable.log(np.array([1.0 + service.cv * service.cv]))
    if not variance[0]:  # so small a variation that there is none left
        return service.mean_ms, 0.0
    level = portable.log(np.array([service.mean_ms])) - variance / 2.0
    return float(level[0]), float(np.sqrt(variance)[0])


def is_constant(distribution: Distribution, spread: float) -> bool:
    """Whether every service takes the same time, so that no numbers are needed."""
    return distribution is Distribution.DETERMINISTIC or (distribution is Distribution.LOGNORMAL and spread == 0.0)


def service_times(distribution: Distribution, level: float, spread: float, draws: Floats) -> Floats:
    """Service times in milliseconds for uniform numbers in (0, 1)."""
    if distribution is Distribution.EXPONENTIAL:
        return portable.log(1.0 - draws) * -level
    if is_constant(distribution, spread):
        return np.full_like(draws, level)
    return portable.exp(portable.normal_quantile(draws) * spread + level)
