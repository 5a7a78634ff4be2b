import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from windtunnel.delivery.courier import Courier
from windtunnel.delivery.destination import NOT_FOUND_OR_NOT_PUBLIC
from windtunnel.delivery.errors import BusyError, RefusedError
from windtunnel.delivery.lookup import LOOKUPS_AT_ONCE, LOOKUPS_AT_ONCE_PER_TENANT, system_lookup


async def test_the_system_knows_itself() -> None:
    assert set(await system_lookup("localhost", 443)) <= {"127.0.0.1", "::1"}
    assert await system_lookup("127.0.0.1", 443) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "\udc80"])
async def test_a_host_that_cannot_be_is_not_found(host: str) -> None:
    with pytest.raises(RefusedError, match="not found"):
        await system_lookup(host, 443)


@asynccontextmanager
async def hanging(*tenants: str) -> AsyncIterator[list[asyncio.Task[list[str]]]]:
    """Look-ups of these tenants whose name servers answer when the block is left."""
    hang = threading.Event()
    asked = threading.Semaphore(0)

    def slow(*_: object, **__: object) -> list[object]:
        asked.release()
        hang.wait()
        return []

    waiting = [asyncio.create_task(system_lookup("slow.example", 443, slow, tenant_id=tenant)) for tenant in tenants]
    try:
        for _ in waiting:
            await asyncio.to_thread(asked.acquire)
        yield waiting
    finally:
        hang.set()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_slow_name_servers_hold_up_a_bounded_number_of_threads() -> None:
    tenants = [str(number % 32) for number in range(LOOKUPS_AT_ONCE)]
    async with hanging(*tenants) as waiting:
        with pytest.raises(BusyError):
            await system_lookup("127.0.0.1", 443, tenant_id="other")
        for each in waiting[:3]:
            each.cancel()
        await asyncio.wait(waiting[:3])
        with pytest.raises(BusyError):  # their threads are still there
            await system_lookup("127.0.0.1", 443, tenant_id="other")
    assert [each.cancelled() for each in waiting[:4]] == [True, True, True, False]
    assert {type(each.exception()) for each in waiting[3:]} == {RefusedError}
    assert await system_lookup("127.0.0.1", 443, tenant_id="other") == ["127.0.0.1"]


async def test_a_tenant_holds_up_nobody_but_itself() -> None:
    async with hanging(*["mine"] * LOOKUPS_AT_ONCE_PER_TENANT):
        with pytest.raises(BusyError):
            await Courier().check("https://localhost/", tenant_id="mine")
        with pytest.raises(BusyError):
            await Courier().post("https://localhost/", {}, b"", tenant_id="mine")
        with pytest.raises(RefusedError, match="not public"):
            await Courier().check("https://localhost/", tenant_id="theirs")
        answer = await Courier().post("https://localhost/", {}, b"", tenant_id="theirs")
        assert answer.error == NOT_FOUND_OR_NOT_PUBLIC
    assert await system_lookup("127.0.0.1", 443, tenant_id="mine") == ["127.0.0.1"]
