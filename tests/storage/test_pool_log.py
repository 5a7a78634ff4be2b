"""The server goes away: one line says so, and no traceback."""

import asyncio
import logging

import pytest
from structlog.testing import capture_logs

from tests.databases import migrate_url
from tests.servers import PostgresServer
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.pool_log import POOL
from windtunnel.storage.store import open_store


async def test_a_server_that_is_away_is_one_line(
    postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(migrate_url, postgres_server.url)
    store = await open_store(postgres_server.url)
    try:
        with capture_logs() as logs:
            await asyncio.to_thread(postgres_server.kill)
            async with asyncio.timeout(30):
                while not logs:
                    with pytest.raises(UnavailableError):
                        await store.fetch("SELECT 1")
        assert {line["event"] for line in logs} == {"database connection not restored, trying again"}
        assert {line["log_level"] for line in logs} == {"warning"}
        assert [record for record in caplog.records if record.name.startswith("asyncpg")] == []
        await asyncio.to_thread(postgres_server.start)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("message", "error", "told"),
    [
        ("Failed to restore the pool connection floor; retrying", OSError("refused"), ["refused"]),
        ("Failed to restore the pool connection floor; retrying", TimeoutError(), ["TimeoutError"]),
        ("Failed to restore the pool connection floor; retrying", ZeroDivisionError("a defect"), []),
        ("Something else", OSError("refused"), []),
    ],
)
async def test_only_what_is_expected_is_told_in_our_words(
    caplog: pytest.LogCaptureFixture, message: str, error: Exception, told: list[str]
) -> None:
    with capture_logs() as logs:
        logging.getLogger(POOL).warning(message, exc_info=error)
    assert [line["reason"] for line in logs] == told
    assert [line["log_level"] for line in logs] == ["warning"] * len(told)
    assert len(caplog.records) == 1 - len(told)
