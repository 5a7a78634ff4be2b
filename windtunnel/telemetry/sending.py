"""Sending a run's telemetry to a collector: OTLP over HTTP, as protobuf, with the protocol's retries."""

import asyncio
import gzip
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from windtunnel.domain.errors import ErrorCode, UnavailableError
from windtunnel.telemetry.collector import Collector
from windtunnel.telemetry.export import Exported, Kind

ATTEMPTS = 4
TIMEOUT_S = 10.0
LONGEST_WAIT_S = 5.0
TOTAL_S = 30.0
"""For everything, with all attempts."""
ANSWER_MAX_BYTES = 64 * 1024
_TRY_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Rejection:
    """What a collector took only in part: how many spans, points or records it did not want, and why."""

    kind: Kind
    count: int
    reason: str


async def send(exported: Exported, collector: Collector, *, pause_s: float = 0.5) -> list[Rejection]:
    """Hand a run's three signals to a collector; what it rejected of them.

    `pause_s` is the wait before the second attempt of a request; it doubles, with jitter. Redirects are not followed
    and no proxy is used. Raises UnavailableError when the collector cannot be reached, refuses, or takes too long.
    """
    counts = exported.counts()
    try:
        async with (
            asyncio.timeout(TOTAL_S),
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
        ):
            answers = [
                await _deliver(client, collector, kind, await asyncio.to_thread(_packed, exported, kind), pause_s)
                for kind in Kind
                if counts[kind]
            ]
    except TimeoutError:
        message = f"The collector at {collector.place} did not take everything within {TOTAL_S:g} s."
        raise UnavailableError(message, code=ErrorCode.TIMEOUT) from None
    return [each for each in answers if each.count or each.reason]


def _packed(exported: Exported, kind: Kind) -> bytes:
    """One signal as it goes over the wire. Of a long run it takes long: not for an event loop."""
    return gzip.compress(exported.protobuf(kind), mtime=0)


async def _deliver(
    client: httpx.AsyncClient, collector: Collector, kind: Kind, packed: bytes, pause_s: float
) -> Rejection:
    headers = {**collector.headers, "content-type": "application/x-protobuf", "content-encoding": "gzip"}
    headers["accept-encoding"] = "identity"  # what is packed may be much larger than it looks
    trouble, wait = "", 0.0
    for attempt in range(ATTEMPTS):
        await asyncio.sleep(wait)
        wait = pause_s * 2**attempt * random.uniform(0.5, 1.5)
        try:
            async with client.stream("POST", f"{collector.url}/v1/{kind}", headers=headers, content=packed) as answer:
                if answer.status_code == 200:
                    return _rejected(kind, await _read(answer))
                trouble = f"it answered {answer.status_code}"
                if answer.status_code not in _TRY_AGAIN:
                    break
                wait = _asked(answer.headers.get("retry-after"), wait)
        except httpx.HTTPError as error:
            trouble = _reason(error)
        except (httpx.InvalidURL, UnicodeError):  # a name that no host can have
            trouble = "its address cannot be used"
            break
    raise UnavailableError(f"The collector at {collector.place} did not take the {kind}: {trouble}.")


async def _read(answer: httpx.Response) -> bytes:
    """The answer's body as it came; nothing of one that is larger than any answer of a collector."""
    found = b""
    async for chunk in answer.aiter_raw():
        found += chunk
        if len(found) > ANSWER_MAX_BYTES:
            return b""
    return found


def _rejected(kind: Kind, body: bytes) -> Rejection:
    """What the collector says of a request that it took. An answer in another form means that it took all."""
    try:
        match kind:
            case Kind.TRACES:
                spans = ExportTraceServiceResponse.FromString(body).partial_success
                return Rejection(kind, spans.rejected_spans, spans.error_message)
            case Kind.METRICS:
                points = ExportMetricsServiceResponse.FromString(body).partial_success
                return Rejection(kind, points.rejected_data_points, points.error_message)
            case Kind.LOGS:
                records = ExportLogsServiceResponse.FromString(body).partial_success
                return Rejection(kind, records.rejected_log_records, records.error_message)
    except DecodeError:
        return Rejection(kind, 0, "")


def _asked(retry_after: str | None, wait: float) -> float:
    """How long the collector asks to wait, in bounds; else as planned."""
    if retry_after is None:
        return wait
    try:
        asked = float(retry_after)
    except ValueError:
        try:
            until = parsedate_to_datetime(retry_after)
        except (ValueError, OverflowError):
            return wait
        asked = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(asked, 0.0), LONGEST_WAIT_S) if isfinite(asked) else wait


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"there was no answer within {TIMEOUT_S:g} s"
    return "it cannot be reached"
