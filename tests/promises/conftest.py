"""The promises are kept by the real thing: `windtunnel serve` with its embedded defaults, in a process of its own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.clients import AFRESH, ANSWER_S
from tests.processes import Api


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    directory = tmp_path_factory.mktemp("data")
    with Api({"WINDTUNNEL_DATA_DIR": str(directory), "WINDTUNNEL_WARM_UP": "on"}) as process:
        yield process


@pytest.fixture
def http(api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=ANSWER_S, limits=AFRESH) as client:
        yield client
