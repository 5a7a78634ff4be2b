"""How environments and deployments stand, what their steps took, and how long others wait, as the database knows it."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.buckets import cumulated
from windtunnel.domain.agents import VersionState
from windtunnel.domain.deployments import DeploymentStatus
from windtunnel.domain.environments import EnvironmentStatus
from windtunnel.storage.pipeline_tallies import Ended, PipelineTally, StepTally
from windtunnel.storage.tally_statements import STEP_BUCKETS_MS

_NOTHING = PipelineTally({}, (), {})
_STATUSES = {
    "environment": ("windtunnel_environments", "Environments, of all tenants.", tuple(EnvironmentStatus)),
    "deployment": ("windtunnel_deployments", "Deployments, of all tenants.", tuple(DeploymentStatus)),
    "version": ("windtunnel_agent_versions", "Versions of agents, of all tenants.", tuple(VersionState)),
}
_STEPS = (
    (
        "windtunnel_validation_seconds",
        "From submitting a package to the end of its validation.",
        (Ended.IN_REVIEW, Ended.INVALID),
    ),
    ("windtunnel_deploy_seconds", "From beginning an attempt to deploy to its end.", (Ended.LIVE, Ended.FAILED)),
    ("windtunnel_provision_seconds", "From asking for an environment to its being ready.", (Ended.READY,)),
)
_QUEUES = ("validation", "review", "deployment", "environment")


class PipelineCollector(Collector):
    """Shows the tally that it was given last."""

    def __init__(self) -> None:
        self.tally = _NOTHING

    def collect(self) -> Iterable[Metric]:
        """Gauges by status, histograms of steps, and the age of the oldest thing in each queue."""
        for kind, (name, help_text, statuses) in _STATUSES.items():
            gauge = GaugeMetricFamily(name, help_text, labels=("status",))
            for status in statuses:
                gauge.add_metric((status.value.lower(),), self.tally.statuses.get((kind, status.value), 0))
            yield gauge
        for name, help_text, ends in _STEPS:
            histogram = HistogramMetricFamily(name, help_text, labels=("ended",))
            for ended in ends:
                mine = [one for one in self.tally.steps if one.ended is ended]
                histogram.add_metric((ended.name.lower(),), _buckets(mine), sum(one.seconds for one in mine))
            yield histogram
        ages = GaugeMetricFamily(
            "windtunnel_queue_age_seconds", "How long the oldest thing in a queue has waited.", labels=("queue",)
        )
        for queue in _QUEUES:
            ages.add_metric((queue,), self.tally.waits.get(queue, 0.0))
        yield ages


def _buckets(tallies: Sequence[StepTally]) -> list[tuple[str, float]]:
    return cumulated(STEP_BUCKETS_MS, [(one.up_to_s, one.times) for one in tallies])
