"""A finished run as OTLP: three messages, as protobuf for collectors and as JSON lines for files."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from windtunnel.domain.events import SimulationEvent
from windtunnel.telemetry.logs import logs
from windtunnel.telemetry.metrics import metrics
from windtunnel.telemetry.traces import traces
from windtunnel.telemetry.values import About

_HEX = frozenset({"traceId", "spanId", "parentSpanId"})


class Kind(StrEnum):
    """One of the three signals; its value is the last part of a collector's path."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Exported:
    """A run's telemetry. Each message has the same bytes as the request that a collector takes for its signal."""

    traces: TracesData
    metrics: MetricsData
    logs: LogsData

    def message(self, kind: Kind) -> Message:
        """The message of a signal."""
        messages: dict[Kind, Message] = {Kind.TRACES: self.traces, Kind.METRICS: self.metrics, Kind.LOGS: self.logs}
        return messages[kind]

    def protobuf(self, kind: Kind) -> bytes:
        """The message of a signal, as OTLP over HTTP and gRPC carries it: the same run gives the same bytes."""
        return self.message(kind).SerializeToString(deterministic=True)

    def line(self, kind: Kind) -> bytes:
        """The message of a signal as one line of OTLP JSON, with its newline."""
        return orjson.dumps(_with_hex(MessageToDict(self.message(kind), use_integers_for_enums=True))) + b"\n"

    def counts(self) -> dict[Kind, int]:
        """How many spans, metrics and log records there are."""
        return {
            Kind.TRACES: sum(len(scope.spans) for each in self.traces.resource_spans for scope in each.scope_spans),
            Kind.METRICS: sum(
                len(scope.metrics) for each in self.metrics.resource_metrics for scope in each.scope_metrics
            ),
            Kind.LOGS: sum(len(scope.log_records) for each in self.logs.resource_logs for scope in each.scope_logs),
        }


def exported(events: Sequence[SimulationEvent], about: About) -> Exported:
    """The telemetry of a run that is over, from its stored events; nothing else goes in, not even a clock."""
    return Exported(traces(events, about), metrics(events, about), logs(events, about))


def _with_hex(value: Any) -> Any:
    """OTLP writes ids in hexadecimal where protobuf's own JSON has base64."""
    if isinstance(value, dict):
        return {
            key: b64decode(item).hex() if key in _HEX and isinstance(item, str) else _with_hex(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_hex(item) for item in value]
    return value
