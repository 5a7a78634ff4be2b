"""A Redis that is down at the start: one line that names the setting and the place, and one when it is there."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.settings import load_settings
from app.wiring.runtime import open_runtime
from tests.servers import RedisServer
from tests.waiting import until
from windtunnel.storage.store import DatabaseRole
from windtunnel.streams import bus, supervised_redis

PASSWORD = "hunter2"
BUS = {"bus connected", "bus connection lost"}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised_redis, "BACKOFF_MAX_S", 0.05)


async def test_it_is_told_of_once_and_the_start_goes_on(redis_server: RedisServer, tmp_path: Path) -> None:
    redis_server.kill()
    place = f"127.0.0.1:{redis_server.port}/0"
    settings = load_settings(data_dir=tmp_path, redis_url=f"redis://:{PASSWORD}@{place}")
    with capture_logs() as logs:
        async with open_runtime(settings, DatabaseRole.SERVER):
            (warning,) = [line for line in logs if "WINDTUNNEL_REDIS_URL" in line["event"]]
            assert (warning["log_level"], warning["server"]) == ("warning", place)
            assert "Connect call failed" in warning["reason"]
        assert PASSWORD not in str(logs)
        assert BUS.isdisjoint(line["event"] for line in logs)


async def test_one_that_refuses_us_is_told_of_and_does_not_keep_us_from_stopping(redis_url: str) -> None:
    for _ in range(5):
        await _refused_and_closed(redis_url.replace("redis://", f"redis://:{PASSWORD}@"))


async def _refused_and_closed(url: str) -> None:
    ours = await bus.open_bus(url)
    try:
        await until(lambda: "AUTH" in ours.trouble)
        assert PASSWORD not in ours.trouble
    finally:
        await ours.close()


async def test_one_that_comes_later_is_told_of_too(redis_server: RedisServer) -> None:
    redis_server.kill()
    with capture_logs() as logs:
        ours = await bus.open_bus(redis_server.url)
        try:
            assert not ours.up
            await asyncio.to_thread(redis_server.start)
            await until(lambda: ours.up)
        finally:
            await ours.close()
    told = [line["event"] for line in logs if line["event"] in BUS]
    assert told == ["bus connected"]


async def test_one_that_is_there_is_nothing_to_tell_of(redis_url: str, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with open_runtime(load_settings(data_dir=tmp_path, redis_url=redis_url), DatabaseRole.SERVER):
            pass
    assert [line for line in logs if line["event"] in BUS or "REDIS" in line["event"]] == []
