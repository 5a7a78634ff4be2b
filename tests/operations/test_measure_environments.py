"""How much environments keep is noted when something was done in them, and not otherwise."""

from datetime import timedelta

from tests.operations.care import now, ready, tend_all
from tests.operations.world import begun, demo, process
from windtunnel.operations.measure_environments import measure_environments
from windtunnel.storage import environment_turns

DAY = timedelta(days=1)


async def test_what_is_kept_is_measured_when_something_was_done(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment, measured = await demo(services), await ready(services), dict[str, int]()
        assert (await now(services, environment)).usage.storage_bytes == 0
        assert await measure_environments(services, measured) == 1
        empty = (await now(services, environment)).usage.storage_bytes
        assert empty > 0
        assert await measure_environments(services, measured) == 0
        await begun(services, viewer, environment_id=environment.id)
        assert await measure_environments(services, measured) == 1
        assert await measure_environments(services, measured) == 1  # something is still being done
        busy = await now(services, environment)
        assert busy.usage.storage_bytes >= empty
        await environment_turns.rest(services.store, busy)
        assert [await measure_environments(services, measured) for _ in range(2)] == [1, 0]
        services.store.clock_offset = 2 * DAY
        await tend_all(services)
        assert await measure_environments(services, measured) == 0
        assert measured == {}
        assert (await now(services, environment)).usage.storage_bytes > 0


async def test_what_cannot_be_measured_is_left_as_it_is(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        environment, measured = await ready(services), dict[str, int]()
        (services.environments_dir / environment.namespace / "environment.db").write_bytes(b"no database" * 1_000)
        assert await measure_environments(services, measured) == 1
        assert (await now(services, environment)).usage.storage_bytes == 0
        assert measured == {}
