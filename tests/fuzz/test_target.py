"""What would count as found: without this, finding nothing would mean nothing."""

import pytest

from tests.fuzz.target import DefectLog, check
from tests.fuzz.wire import Told

JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "told",
    [
        Told(500, "text/plain"),
        Told(503, JSON, b'{"error":{"code":"UNAVAILABLE"}}'),
        Told(200, JSON, b'{"data":null,"errors":[{"message":"x","extensions":{"code":"INTERNAL"}}]}'),
        Told(200, "text/event-stream", b'event: next\ndata: {"errors":[{"extensions":{"code":"INTERNAL"}}]}\n\n'),
    ],
)
def test_a_fault_of_the_server_is_found(told: Told) -> None:
    with pytest.raises(AssertionError):
        check(told, "something")


@pytest.mark.parametrize(
    "told",
    [
        Told(0),
        Told(404, JSON, b'{"error":{"code":"NOT_FOUND"}}'),
        Told(400, JSON, b'{"errors":[{"message":"x","extensions":{"code":"BAD_USER_INPUT"}}]}'),
        Told(200, JSON, b'{"data":{}}'),
    ],
)
def test_a_fault_of_the_client_is_none(told: Told) -> None:
    check(told, "something")


def test_a_trace_in_the_log_is_found() -> None:
    log = DefectLog()
    for line in ("Ready.", '{"event": "slow client dropped", "level": "info"}'):
        log.append(line)
    assert log.defects == []
    traces = (
        "Traceback (most recent call last):",
        '{"event": "defect", "level": "error"}',
        "coroutine was never awaited",
    )
    for line in traces:
        log.append(line)
    assert log.defects == list(traces)
