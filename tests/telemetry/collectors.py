"""A collector that takes OTLP over HTTP on a loopback port and keeps what it decoded."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass
class Received:
    """What came, in order. `answers` are statuses to give first; `rejects` spans are turned down, for a `reason`."""

    url: str = ""
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    rejects: int = 0
    reason: str = "too old"

    def take(self, path: str, body: bytes) -> Message:
        """Decode a request strictly; the response to it."""
        if path.endswith("/v1/traces"):
            self.traces.append(ExportTraceServiceRequest.FromString(body))
            response = ExportTraceServiceResponse()
            if self.rejects:
                response.partial_success.rejected_spans = self.rejects
                response.partial_success.error_message = self.reason
            return response
        if path.endswith("/v1/metrics"):
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
            return ExportMetricsServiceResponse()
        assert path.endswith("/v1/logs")
        self.logs.append(ExportLogsServiceRequest.FromString(body))
        return ExportLogsServiceResponse()


@contextmanager
def collecting() -> Iterator[Received]:
    """A collector for the length of the block."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.paths.append(self.path)
            received.headers.append({key.lower(): value for key, value in self.headers.items()})
            status = received.answers.pop(0) if received.answers else 200
            answer = received.take(self.path, body).SerializeToString() if status == 200 else b"no"
            self.send_response(status)
            if status in {429, 503}:
                self.send_header("Retry-After", "0")
            if status == 302:
                self.send_header("Location", received.url + "/elsewhere")
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
