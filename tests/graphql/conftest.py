"""A client of the whole schema, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.graphql.world import Client
from tests.storage import worlds
from windtunnel.knowledge import load_book
from windtunnel.operations.services import Limits, Services, open_services
from windtunnel.planning import offline_planner
from windtunnel.storage.store import Store
from windtunnel.streams.bus import open_bus


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Services]:
    bus = await open_bus(None)
    try:
        async with open_services(store, bus, offline_planner(), load_book(), Limits(), owner="tests") as services:
            yield services
    finally:
        await bus.close()


@pytest.fixture
def services(store: Store, runner: asyncio.Runner) -> Iterator[Services]:
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(opened(store)))
    runner.run(stack.aclose())


@pytest.fixture
def client(services: Services, runner: asyncio.Runner) -> Client:
    return Client(services, runner.run(worlds.demo(services.store)))


@pytest.fixture
def bo(client: Client, runner: asyncio.Runner) -> Client:
    """Somebody of the same tenant, with the same roles."""
    return Client(client.services, runner.run(worlds.colleague(client.services.store, client.signed_in)))


@pytest.fixture
def eve(client: Client, runner: asyncio.Runner) -> Client:
    """Somebody of another tenant."""
    return Client(client.services, runner.run(worlds.stranger(client.services.store)))
