"""Logs are kept quiet: what operations log of a defect is long."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    with capture_logs():
        yield
