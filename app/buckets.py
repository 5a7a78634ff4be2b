"""Histograms of what the database has counted."""

from collections.abc import Sequence


def cumulated(bounds_ms: Sequence[int], counted: Sequence[tuple[float | None, int]]) -> list[tuple[str, float]]:
    """The buckets as Prometheus has them: how many are within each bound, in seconds, and how many there are.

    `counted` has numbers of things with the smallest bound that they are within, in seconds; None: within none.
    """
    bounds = [most / 1000 for most in bounds_ms]
    within = [sum(number for bound, number in counted if bound is not None and bound <= most) for most in bounds]
    buckets = [(str(bound), float(number)) for bound, number in zip(bounds, within, strict=True)]
    return [*buckets, ("+Inf", float(sum(number for _, number in counted)))]
