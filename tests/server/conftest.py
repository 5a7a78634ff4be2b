"""The tiny schema, served once for all tests that only ask it."""

from collections.abc import Iterator

import httpx
import pytest
import structlog

from app.logs import configure_logs
from app.metrics import Metrics
from tests.clients import AFRESH, ANSWER_S
from tests.processes import Api
from tests.server.nodes import Node, install
from tests.server.world import Serving, World, tiny_app


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Logs as the product writes them; nothing of it is left to the tests that follow."""
    configure_logs("error")
    structlog.configure(cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def world() -> World:
    """What the served schema does, seen from outside."""
    return World()


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    """What the served application counts."""
    return Metrics()


@pytest.fixture(scope="session")
def serving(world: World, metrics: Metrics) -> Iterator[Serving]:
    """The server."""
    with Serving(tiny_app(world, metrics)) as serving:
        yield serving


@pytest.fixture
def http(serving: Serving) -> Iterator[httpx.Client]:
    """A client whose relative address "" is /graphql."""
    with httpx.Client(base_url=serving.url.removesuffix("/graphql"), timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the JavaScript clients."""
    return install()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """`windtunnel serve`, as a user starts it."""
    with Api({"WINDTUNNEL_DATA_DIR": str(tmp_path_factory.mktemp("product"))}) as product:
        yield product


@pytest.fixture
def rest(product: Api) -> Iterator[httpx.Client]:
    """A client of the product."""
    with httpx.Client(base_url=product.url, timeout=ANSWER_S, limits=AFRESH) as client:
        yield client
