"""What environments are made of where processes are many: a schema, a directory, a user of the bus; then nothing."""

from pathlib import Path

from redis.asyncio import Redis

from app.settings import load_settings
from app.wiring.runtime import open_runtime
from tests.operations.care import left_of, now, ready, resources, tend_all
from tests.operations.world import demo
from windtunnel.domain.environments import EnvironmentStatus, ResourceKind
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.places import in_environment
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.store import DatabaseRole
from windtunnel.streams.redis_channels import RedisChannels


async def test_an_environment_on_postgresql_and_redis(
    tmp_path: Path, postgres_database_url: str, redis_url: str
) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=postgres_database_url, redis_url=redis_url)
    server = Redis.from_url(redis_url)
    async with open_runtime(settings, DatabaseRole.SERVER) as runtime:
        services = runtime.services
        assert isinstance(services.places.databases, EnvironmentSchemas)
        assert isinstance(services.places.channels, RedisChannels)
        users = await server.execute_command("ACL USERS")  # type: ignore[no-untyped-call]
        environment = await ready(services)
        locators = {resource.kind: resource.locator for resource in await resources(services, environment)}
        assert locators[ResourceKind.DATABASE] == f"schema and role wte_{environment.namespace}"
        assert locators[ResourceKind.CHANNEL] == (
            f"channels windtunnel:env:{environment.namespace}:* and user windtunnel-env-{environment.namespace}"
        )
        async with in_environment(services, environment) as place:
            assert place.bus.up
            rows = await place.store.fetch("SELECT current_user::text AS me")
            assert rows == [{"me": f"wte_{environment.namespace}"}]
        await delete_environment(services, await demo(services), environment.id)
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
        assert await left_of(services, environment) == []
        assert await server.execute_command("ACL USERS") == users  # type: ignore[no-untyped-call]
    await server.aclose()
