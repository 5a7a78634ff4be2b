"""Sending over the wire to a real OTLP receiver on loopback: retries, refusals, partial success."""

import asyncio
import gzip
import socket
from collections.abc import Iterator

import pytest

from tests.examples import support_triage
from tests.telemetry.collectors import Received, collecting
from tests.telemetry.reading import read
from tests.telemetry.runs import about, told
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.telemetry import sending
from windtunnel.telemetry.collector import collector_of
from windtunnel.telemetry.export import Exported, Kind, exported
from windtunnel.telemetry.sending import ATTEMPTS, LONGEST_WAIT_S, send


@pytest.fixture
def collector() -> Iterator[Received]:
    with collecting() as received:
        yield received


@pytest.fixture(scope="module")
def run() -> Exported:
    return exported(told(support_triage(), 3), about(3))


async def test_a_collector_gets_the_whole_run(collector: Received, run: Exported) -> None:
    assert await send(run, collector_of(collector.url + "/", "x-api-key=secret, x-tenant = a%2Cb")) == []
    assert collector.paths == ["/v1/traces", "/v1/metrics", "/v1/logs"]
    for headers in collector.headers:
        assert headers["content-type"] == "application/x-protobuf"
        assert (headers["x-api-key"], headers["x-tenant"]) == ("secret", "a,b")
    assert list(collector.traces[0].resource_spans) == list(run.traces.resource_spans)
    assert list(collector.metrics[0].resource_metrics) == list(run.metrics.resource_metrics)
    assert list(collector.logs[0].resource_logs) == list(run.logs.resource_logs)
    assert read(collector.traces[0].resource_spans[0].resource.attributes)["windtunnel.simulated"] is True


async def test_a_busy_collector_is_asked_again(collector: Received, run: Exported) -> None:
    collector.answers = [429, 503]
    assert await send(run, collector_of(collector.url), pause_s=0) == []
    assert collector.paths == ["/v1/traces"] * 3 + ["/v1/metrics", "/v1/logs"]
    assert len(collector.traces) == 1


async def test_a_collector_that_stays_busy_is_given_up(collector: Received, run: Exported) -> None:
    collector.answers = [503] * 10
    with pytest.raises(UnavailableError, match=r"did not take the traces: it answered 503\."):
        await send(run, collector_of(collector.url), pause_s=0)
    assert len(collector.paths) == ATTEMPTS


async def test_a_collector_that_never_answers_is_left(run: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"did not take everything within 0\.05 s") as refused:
            await send(run, collector_of(url))
    assert refused.value.code is ErrorCode.TIMEOUT


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (None, 1.5),
        ("0", 0.0),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("3600", LONGEST_WAIT_S),
        ("nan", 1.5),
        ("inf", 1.5),
        ("soon", 1.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("Wed, 21 Oct 2199 07:28:00 GMT", LONGEST_WAIT_S),
        (f"Wed, 21 Oct {10**20} 07:28:00 GMT", 1.5),
    ],
)
def test_a_collector_may_say_when_to_come_again(asked: str | None, wait: float) -> None:
    assert sending._asked(asked, 1.5) == wait


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", "it cannot be reached"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n", "it cannot be reached"),
        (b"220 smtp at your service\r\n", "it cannot be reached"),
    ],
)
async def test_an_answer_that_breaks_off_is_one_sentence(run: Exported, answer: bytes, said: str) -> None:
    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(answering, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(UnavailableError, match=f"did not take the traces: {said}"):
            await send(run, collector_of(url), pause_s=0)


async def test_a_packed_answer_is_not_unpacked(run: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(bytes(sending.ANSWER_MAX_BYTES))
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\ncontent-length: {len(packed)}\r\n\r\n"

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + packed)
        writer.close()

    read: list[bytes] = []
    rejected = sending._rejected

    def reading(kind: Kind, body: bytes) -> sending.Rejection:
        read.append(body)
        return rejected(kind, body)

    monkeypatch.setattr(sending, "_rejected", reading)
    async with await asyncio.start_server(answering, "127.0.0.1", 0) as server:
        assert await send(run, collector_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")) == []
    assert read == [packed] * 3


@pytest.mark.parametrize("url", ["http://xn--/", "http://a\nb", "http://[v1.x]:1", "http://x/" + "a" * 70_000])
async def test_an_address_that_no_host_can_have_is_one_sentence(run: Exported, url: str) -> None:
    with pytest.raises(UnavailableError, match="its address cannot be used"):
        await send(run, collector_of(url), pause_s=0)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 500])
async def test_a_refusal_is_final_and_no_redirect_is_followed(collector: Received, run: Exported, status: int) -> None:
    collector.answers = [status]
    with pytest.raises(UnavailableError, match=f"it answered {status}"):
        await send(run, collector_of(collector.url), pause_s=0)
    assert collector.paths == ["/v1/traces"]


async def test_what_was_rejected_in_part_is_told(collector: Received, run: Exported) -> None:
    collector.rejects = 4
    (rejection,) = await send(run, collector_of(collector.url))
    assert (rejection.kind, rejection.count, rejection.reason) == (Kind.TRACES, 4, "too old")


async def test_nobody_there_is_one_sentence_without_the_password(run: Exported) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        url = f"http://me:password@127.0.0.1:{port}/otlp"
        with pytest.raises(UnavailableError) as refused:
            await send(run, collector_of(url), pause_s=0)
    assert refused.value.message == (
        f"The collector at http://127.0.0.1:{port}/otlp did not take the traces: it cannot be reached."
    )


@pytest.mark.parametrize(
    "url", ["", "collector:4318", "ftp://collector", "http://", "http://host:0", "http://host:x", "http://host/?a=b"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="is no address of a collector"):
        collector_of(url)


@pytest.mark.parametrize("url", ["http://me:secret@host/?a=b", "https://host?key=secret", "me:secret@host"])
def test_an_address_that_is_none_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        collector_of(url)
    assert "secret" not in str(refused.value)
    assert "host" in str(refused.value)


@pytest.mark.parametrize(
    "given", ["authorization Bearer x", "=x", "a b=c", "a=b\r\nc: d", "a=b%0D%0Ac: d", "é=x", "a="]
)
def test_headers_that_are_none_are_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="name=value"):
        collector_of("http://collector:4318", given)
