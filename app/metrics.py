"""What this process counts, in Prometheus' text format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.pipeline_metrics import PipelineCollector
from app.rollback_metrics import RollbackCollector
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.pipeline_tallies import PipelineTally
from windtunnel.storage.tallies import RollbackTally, Tally
from windtunnel.streams.statistics import Statistics

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The counters of one application, in a registry of its own; an `Observer` of GraphQL operations."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "windtunnel_http_requests", "HTTP requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._operations = Counter(
            "windtunnel_graphql_operations", "GraphQL operations ended.", ("type", "outcome"), registry=self.registry
        )
        self._seconds = Histogram(
            "windtunnel_graphql_operation_seconds",
            "Duration of GraphQL queries and mutations.",
            ("type",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._sockets = Gauge("windtunnel_websockets_open", "WebSockets open now.", registry=self.registry)
        self._streams = Gauge("windtunnel_streams_open", "Streams open now.", ("transport",), registry=self.registry)
        self._simulations = Gauge(
            "windtunnel_simulations", "Simulations stored, of all tenants.", ("status",), registry=self.registry
        )
        self._simulation_seconds = Gauge(
            "windtunnel_simulation_seconds", "Seconds that they ran, summed up.", ("status",), registry=self.registry
        )
        self._rollbacks = RollbackCollector()
        self.registry.register(self._rollbacks)
        self._pipeline = PipelineCollector()
        self.registry.register(self._pipeline)

    def answered(self, route: str, method: str, status: int) -> None:
        """Count an HTTP request; `route` is a pattern, never a path."""
        self._requests.labels(route, method, str(status)).inc()

    def began(self, operation_type: str) -> None:
        """Count an operation that runs."""
        if operation_type == "subscription":
            self._streams.labels("graphql").inc()

    def ended(self, operation_type: str, outcome: str, seconds: float) -> None:
        """Count an operation that ended."""
        self._operations.labels(operation_type, outcome).inc()
        if operation_type == "subscription":
            if outcome != "refused":
                self._streams.labels("graphql").dec()
        else:
            self._seconds.labels(operation_type).observe(seconds)

    @contextmanager
    def socket_open(self) -> Iterator[None]:
        """Count a WebSocket while it is open."""
        with self._sockets.track_inprogress():
            yield

    @contextmanager
    def rest_stream_open(self) -> Iterator[None]:
        """Count an event stream of the REST side while it is open."""
        with self._streams.labels("rest").track_inprogress():
            yield

    def watch(self, statistics: Statistics, bus_is_up: Callable[[], bool]) -> None:
        """Show the counters of this process's streams, too."""
        self.registry.register(_StreamCollector(statistics, bus_is_up))

    def count_simulations(self, tallies: Iterable[Tally]) -> None:
        """Show how many simulations there are and how long they ran, as the database has it."""
        found = {one.status: one for one in tallies}
        for status in SimulationStatus:
            one = found.get(status)
            self._simulations.labels(status).set(one.simulations if one else 0)
            self._simulation_seconds.labels(status).set(one.seconds if one else 0)

    def count_rollbacks(self, tallies: Sequence[RollbackTally]) -> None:
        """Show how long rollbacks took, as the database has it."""
        self._rollbacks.tallies = tallies

    def count_pipeline(self, tally: PipelineTally) -> None:
        """Show how environments and deployments stand, as the database has it."""
        self._pipeline.tally = tally

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class _StreamCollector(Collector):
    def __init__(self, statistics: Statistics, bus_is_up: Callable[[], bool]) -> None:
        self._statistics = statistics
        self._bus_is_up = bus_is_up

    def collect(self) -> Iterable[Metric]:
        """The counters as they stand."""
        delivered = CounterMetricFamily(
            "windtunnel_events_delivered", "Events delivered to followers, by how they came.", labels=("source",)
        )
        for source in ("replayed", "live", "reread"):
            delivered.add_metric((source,), getattr(self._statistics, source))
        yield delivered
        for name, help_text in (
            ("lagged", "Buffers given up because their client was slow."),
            ("reconnects", "Connections to the bus server that were lost."),
            ("dropped", "Messages that could not be sent to the bus server."),
        ):
            yield CounterMetricFamily(f"windtunnel_stream_{name}", help_text, value=getattr(self._statistics, name))
        yield GaugeMetricFamily("windtunnel_bus_up", "1 while the bus is connected.", value=float(self._bus_is_up()))
