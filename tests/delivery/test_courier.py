"""The courier against real servers on loopback, which the operator of these tests allows."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.delivery.certificates import Authority
from tests.delivery.receivers import LOOPBACK, Received, answering, courier, receiver, silence
from windtunnel.delivery import courier as module
from windtunnel.delivery.addresses import read_allowance
from windtunnel.delivery.courier import Courier
from windtunnel.delivery.destination import NOT_FOUND_OR_NOT_PUBLIC
from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.pinned import READ_MAX_BYTES
from windtunnel.domain.webhooks import Answer

HEADERS = {"webhook-id": "1"}
HOST = "hooks.example.com"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what never ends, ends sooner."""
    monkeypatch.setattr(module, "WEBHOOK_TIMEOUT_S", 0.3)


async def test_a_message_arrives_as_it_was_sent() -> None:
    async with receiver(answering(202)) as running:
        body = b'{"text":"' + b"x" * 64_000 + b'"}'
        url = f"http://{HOST}:{running.port}/in/box?key=1%202"
        sent = courier(HOST, names={HOST: [LOOPBACK]})
        assert await sent.post(url, {"webhook-id": "abc"}, body) == Answer(status=202)
    (request,) = running.requests
    assert (request.method, request.path, request.body) == ("POST", "/in/box?key=1%202", body.decode())
    assert request.headers.pop("user-agent").startswith("Windtunnel/")
    assert request.headers == {
        "host": f"{HOST}:{running.port}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "*/*",
        "connection": "close",
        "webhook-id": "abc",
    }


async def test_over_tls_the_name_is_asked_for_and_checked_while_the_address_is_pinned(authority: Authority) -> None:
    async with receiver(tls=authority.server(HOST)) as running:
        names = {HOST: [LOOPBACK], "other.example.com": [LOOPBACK]}
        sent = courier("127.0.0.0/8", names=names, trust=authority.trust)
        assert await sent.post(f"https://{HOST}:{running.port}/", HEADERS, b"{}") == Answer(status=204)
        assert running.sni == [HOST]
        assert running.requests[0].headers["host"] == f"{HOST}:{running.port}"
        wrong = await sent.post(f"https://other.example.com:{running.port}/", HEADERS, b"{}")
        assert wrong.status is None
        assert "certificate is not valid: Hostname mismatch" in (wrong.error or "")
        address = await sent.post(f"https://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
        assert "certificate is not valid: IP address mismatch" in (address.error or "")
    assert len(running.requests) == 1


async def test_a_certificate_can_be_for_an_address(authority: Authority) -> None:
    async with receiver(tls=authority.server(LOOPBACK)) as running:
        sent = courier(LOOPBACK, trust=authority.trust)
        assert await sent.post(f"https://{LOOPBACK}:{running.port}/", HEADERS, b"{}") == Answer(status=204)


async def test_a_certificate_that_nobody_vouches_for_is_refused(authority: Authority) -> None:
    async with receiver(tls=authority.server(HOST)) as running:
        answer = await courier(HOST, names={HOST: [LOOPBACK]}).post(f"https://{HOST}:{running.port}/", HEADERS, b"{}")
    assert "certificate is not valid" in (answer.error or "")
    assert running.requests == []


async def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    async with receiver(tls=authority.server(HOST, expired=True)) as running:
        sent = courier(HOST, names={HOST: [LOOPBACK]}, trust=authority.trust)
        answer = await sent.post(f"https://{HOST}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(error="The receiver's certificate is not valid: certificate has expired.")


async def test_https_is_not_spoken_with_a_server_of_http(authority: Authority) -> None:
    async with receiver() as running:
        sent = courier(HOST, names={HOST: [LOOPBACK]}, trust=authority.trust)
        answer = await sent.post(f"https://{HOST}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(error="The receiver does not speak TLS as it should.")
    assert running.requests == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], []],
)
async def test_nothing_connects_to_what_is_not_public(addresses: Sequence[str]) -> None:
    async with receiver() as running:
        sent = courier(names={HOST: addresses})
        url = f"https://{HOST}:{running.port}/"
        with pytest.raises(RefusedError, match="not public"):
            await sent.check(url)
        assert await sent.post(url, HEADERS, b"{}") == Answer(error=NOT_FOUND_OR_NOT_PUBLIC)
    assert running.connections == 0


async def test_a_name_that_leads_elsewhere_after_it_was_checked_is_refused() -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        del host, port
        return answers.pop(0)

    async with receiver() as running:
        sent = Courier(lookup=rebinding)
        url = f"https://{HOST}:{running.port}/"
        await sent.check(url)
        assert await sent.post(url, HEADERS, b"{}") == Answer(error=NOT_FOUND_OR_NOT_PUBLIC)
    assert running.connections == 0
    assert answers == [], "looked up once for each"


async def test_a_name_that_changes_between_look_up_and_connection_changes_nothing() -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with receiver() as good, receiver(host="127.0.0.2") as bad:
        sent = Courier(read_allowance(["127.0.0.0/8"]), rebinding)
        assert await sent.post(f"http://{HOST}:{good.port}/", HEADERS, b"{}") == Answer(status=204)
    assert asked == [(HOST, good.port)]
    assert (good.connections, bad.connections) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    async with receiver() as inner:
        location = ("location", f"http://{LOOPBACK}:{inner.port}/")
        async with receiver(answering(status, headers=[location])) as running:
            sent = courier(LOOPBACK)
            answer = await sent.post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(status=status)
    assert inner.connections == 0


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as running:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
        sent = courier(LOOPBACK)
        assert await sent.post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}") == Answer(status=204)
    assert proxy.connections == 0


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("soon", None), ("-1", None), ("9" * 20, None)])
async def test_a_receiver_may_ask_for_patience(value: str, seconds: int | None) -> None:
    async with receiver(answering(429, headers=[("Retry-After", value)])) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(status=429, retry_after_s=seconds)


async def test_an_answer_without_end_is_not_read() -> None:
    written = 0

    async def flood(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with receiver(flood) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(status=200)
    assert written < 20_000_000, "no more than what the sockets buffer"


@pytest.mark.parametrize("endless", [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 50_000, b"HTTP/1.1 103 Early\r\n\r\n" * 2_000])
async def test_a_head_without_end_is_an_error(endless: bytes) -> None:
    async def flood(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(endless)
        await writer.drain()
        await writer.wait_closed()

    assert len(endless) > 2 * READ_MAX_BYTES
    async with receiver(flood) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(error="The receiver's answer has no end.")


@pytest.mark.parametrize("bad", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nx"])
async def test_what_is_no_answer_in_http_is_an_error(bad: bytes) -> None:
    async def babble(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(bad)
        await writer.drain()

    async with receiver(babble) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer.status is None
    assert "did not answer in HTTP" in (answer.error or "")


@pytest.mark.usefixtures("short")
async def test_a_receiver_that_never_answers_is_left_in_time() -> None:
    async with receiver(silence) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(error="There was no answer within 0.3 seconds.")


@pytest.mark.usefixtures("short")
async def test_a_receiver_that_drips_is_left_in_time() -> None:
    async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
        for char in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000:
            writer.write(bytes([char]))
            await writer.drain()
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.05, waiting.set_result, None)
            await waiting

    async with receiver(drip) as running:
        answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}")
    assert answer == Answer(error="There was no answer within 0.3 seconds.")


@pytest.mark.usefixtures("short")
async def test_a_server_that_never_finishes_its_handshake_is_left_in_time(authority: Authority) -> None:
    async with _deaf() as port:
        sent = courier(HOST, names={HOST: [LOOPBACK]}, trust=authority.trust)
        answer = await sent.post(f"https://{HOST}:{port}/", HEADERS, b"{}")
    assert answer == Answer(error="There was no answer within 0.3 seconds.")


@pytest.mark.usefixtures("short")
async def test_a_name_server_that_never_answers_is_left_in_time() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        del host, port
        await asyncio.Event().wait()
        return []

    with pytest.raises(RefusedError, match="within"):
        await Courier(lookup=never).check(f"https://{HOST}/")
    answer = await Courier(lookup=never).post(f"https://{HOST}/", HEADERS, b"{}")
    assert answer == Answer(error="There was no answer within 0.3 seconds.")


async def test_a_port_where_nobody_listens_is_an_error() -> None:
    with socket.create_server((LOOPBACK, 0)) as closed:
        port = closed.getsockname()[1]
    answer = await courier(LOOPBACK).post(f"http://{LOOPBACK}:{port}/", HEADERS, b"{}")
    assert answer == Answer(error="There is no connection to the receiver.")


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with receiver(host="127.0.0.2") as running:
        sent = courier(HOST, names={HOST: ["127.0.0.1", "127.0.0.2"]})
        assert await sent.post(f"http://{HOST}:{running.port}/", HEADERS, b"{}") == Answer(status=204)


async def test_whoever_gives_up_leaves_no_connection_behind() -> None:
    async with receiver(silence) as running:
        sending = asyncio.create_task(courier(LOOPBACK).post(f"http://{LOOPBACK}:{running.port}/", HEADERS, b"{}"))
        await running.until(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


@asynccontextmanager
async def _deaf() -> AsyncIterator[int]:
    """A port where connections are accepted by the system and by nobody else."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        yield listening.getsockname()[1]
