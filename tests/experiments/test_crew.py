"""A crew: what it does, what it makes of failures, and how it ends."""

import os
import signal

import pytest

from windtunnel.experiments.crew import Crew, CrewError


def number() -> int:
    return os.getpid()


def fail() -> None:
    raise ValueError("so it is")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_work_is_done_elsewhere_and_failures_are_told() -> None:
    crew = Crew(1)
    try:
        first = await crew.run(number)
        assert first != os.getpid()
        with pytest.raises(CrewError, match="ValueError: so it is"):
            await crew.run(fail)
        assert await crew.run(number) == first
        with pytest.raises(CrewError, match="again and again"):
            await crew.run(die)
        second = await crew.run(number)
        assert second != first
    finally:
        crew.close()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
    third = await crew.run(number)
    assert third not in {first, second}
    crew.close()
