"""A client of the whole schema, on both databases."""

import asyncio

import pytest
from windtunnel.operations.services import Services

from tests.graphql.world import Client
from tests.storage import worlds
from windtunnel.knowledge import load_book
from windtunnel.storage.store import Store
from windtunnel.streams.bus import open_bus


@pytest.fixture
def services(store: Store, runner: asyncio.Runner) -> Services:
    bus = runner.run(open_bus(None))
    return Services(store=store, bus=bus, planner=None, book=load_book())


@pytest.fixture
def client(services: Services, runner: asyncio.Runner) -> Client:
    return Client(services, runner.run(worlds.demo(services.store)))
