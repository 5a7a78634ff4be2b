"""A crew: what it does, what it makes of failures, and how it ends."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.waiting import until
from windtunnel.experiments.crew import Crew, CrewError, ExhaustedError


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
        with pytest.raises(ExhaustedError, match="again and again"):
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


def stay(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    signal.pause()


async def test_what_nobody_waits_for_ends_and_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.experiments.crew.GRACE_S", 0.0)
    crew, note = Crew(2), tmp_path / "note"
    try:
        other = await crew.run(number)
        staying = asyncio.create_task(crew.run(stay, str(note)))
        await until(lambda: note.exists() and bool(note.read_text()))
        staying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await staying
        await until(lambda: not lives(int(note.read_text())))
        assert int(note.read_text()) == other
        # One hand was lost; with what is left and one in its place two can be at work.
        assert len({await crew.run(number) for _ in range(3)}) == 1
    finally:
        crew.close()


async def test_a_process_that_dies_costs_nobody_else_their_work(tmp_path: Path) -> None:
    crew, note = Crew(2), tmp_path / "note"
    try:
        staying = asyncio.create_task(crew.run(stay, str(note)))
        await until(lambda: note.exists() and bool(note.read_text()))
        with pytest.raises(CrewError, match="again and again"):
            await crew.run(die)
        assert not staying.done()
        assert lives(int(note.read_text()))
    finally:
        crew.close()
    with pytest.raises(CrewError, match="sent home"):
        await staying


async def test_who_waits_for_a_hand_is_told_when_there_is_none_any_more(tmp_path: Path) -> None:
    crew = Crew(1)
    asked = [asyncio.create_task(crew.run(stay, str(tmp_path / "note"))) for _ in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    crew.close()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in told] == [CrewError, asyncio.CancelledError, CrewError]


def lives(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False
