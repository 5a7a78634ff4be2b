"""How long rollbacks took, as a histogram of all that the database knows, and what they have to stay under."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.buckets import cumulated
from windtunnel.domain.policy import ROLLBACK_WITHIN_MS
from windtunnel.domain.rollbacks import RollbackStatus
from windtunnel.storage.deployment_statements import ROLLBACK_BUCKETS_MS
from windtunnel.storage.tallies import RollbackTally

_ENDED = (RollbackStatus.SUCCEEDED, RollbackStatus.FAILED)


class RollbackCollector(Collector):
    """Shows the tallies that it was given last."""

    def __init__(self) -> None:
        self.tallies: Sequence[RollbackTally] = ()

    def collect(self) -> Iterable[Metric]:
        """The histogram, of those that succeeded and those that failed, and the objective."""
        histogram = HistogramMetricFamily(
            "windtunnel_rollback_seconds", "From accepting a rollback to its end.", labels=("status",)
        )
        for status in _ENDED:
            mine = [one for one in self.tallies if one.status is status]
            histogram.add_metric((status.value.lower(),), _buckets(mine), sum(one.seconds for one in mine))
        yield histogram
        yield GaugeMetricFamily(
            "windtunnel_rollback_objective_seconds",
            "What a rollback has to stay under; after that it has failed.",
            value=ROLLBACK_WITHIN_MS / 1000,
        )


def _buckets(tallies: Sequence[RollbackTally]) -> list[tuple[str, float]]:
    return cumulated(ROLLBACK_BUCKETS_MS, [(one.up_to_s, one.rollbacks) for one in tallies])
