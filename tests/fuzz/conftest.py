"""One server for all that is thrown at it, and how long that goes on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from tests.databases import postgres_database
from tests.fuzz.target import Target

EXAMPLES_AT_ONCE = 40
ENGINES = 2

Throw = Callable[[float, Callable[[Any], None], SearchStrategy[Any]], None]


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The product on either engine: they do not stumble over the same values."""
    with ExitStack() as stack:
        settings = {}
        if request.param == "postgres":
            server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
            settings["WINDTUNNEL_DATABASE_URL"] = stack.enter_context(postgres_database(server, template))
        target = Target(tmp_path_factory.mktemp("fuzz"), settings)
        stack.callback(target.stop)
        target.start()
        yield target


@pytest.fixture
def throw(request: pytest.FixtureRequest, target: Target) -> Throw:
    """Calls a function with one thing after the other for its share of --fuzz-seconds; the target is checked often."""
    seconds = float(request.config.getoption("--fuzz-seconds")) / ENGINES

    def throw(share: float, at: Callable[[Any], None], things: SearchStrategy[Any]) -> None:
        until = monotonic() + seconds * share

        @settings(max_examples=EXAMPLES_AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(things)
        def some(thing: Any) -> None:
            if monotonic() < until:
                at(thing)

        while monotonic() < until:
            some()
            target.check()

    return throw
