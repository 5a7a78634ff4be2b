import asyncio
import threading

import pytest

from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.lookup import LOOKUPS_AT_ONCE, system_lookup


async def test_the_system_knows_itself() -> None:
    assert set(await system_lookup("localhost", 443)) <= {"127.0.0.1", "::1"}
    assert await system_lookup("127.0.0.1", 443) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "\udc80"])
async def test_a_host_that_cannot_be_is_not_found(host: str) -> None:
    with pytest.raises(RefusedError, match="not found"):
        await system_lookup(host, 443)


async def test_slow_name_servers_hold_up_a_bounded_number_of_threads() -> None:
    hang = threading.Event()
    asked = threading.Semaphore(0)

    def slow(*_: object, **__: object) -> list[object]:
        asked.release()
        hang.wait()
        return []

    waiting = [asyncio.create_task(system_lookup("slow.example", 443, slow)) for _ in range(LOOKUPS_AT_ONCE)]
    for _ in waiting:
        await asyncio.to_thread(asked.acquire)
    with pytest.raises(RefusedError, match="Too many"):
        await system_lookup("one.more.example", 443)
    for each in waiting[:3]:
        each.cancel()
    hang.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in done[:3]] == [asyncio.CancelledError] * 3
    assert {type(each) for each in done[3:]} == {RefusedError}
    assert await system_lookup("127.0.0.1", 443) == ["127.0.0.1"]
