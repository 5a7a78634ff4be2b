"""The processes of `windtunnel experiment`: none outlives the command, however that ends."""

import asyncio
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from tests.app.test_experiment_command import SMALL, run
from tests.waiting import until

ROOT = Path(__file__).parents[2]
COMMAND = """
import os, signal
from concurrent.futures import ProcessPoolExecutor
from app import clustering

clustering.prepare_kernel = lambda: None
pool = ProcessPoolExecutor(2, initializer=clustering.begin)
staying = [pool.submit(signal.pause) for _ in range(2)]
print(*pool._processes, flush=True)
signal.pause()
"""


async def test_no_process_outlives_a_killed_command() -> None:
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert command.stdout is not None
        numbers = [int(word) for word in (await command.stdout.readline()).split()]
        assert len(numbers) == 2
        assert all(map(_lives, numbers))
    finally:
        command.kill()
        await command.wait()
    await until(lambda: not any(map(_lives, numbers)))


@pytest.mark.parametrize("error", [MemoryError(), BrokenProcessPool()])
def test_too_little_memory_is_one_line(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def conducted(*_: object) -> None:
        raise error

    monkeypatch.setattr("app.clustering.conducted", conducted)
    path = tmp_path / "network.json"
    path.write_text('{"nodes": [{"key": "a", "service": {"mean_ms": 1}}], "entry": ["a"]}')
    result = run("--network", str(path), *SMALL)
    assert result.exit_code == 1
    assert result.stderr == "windtunnel: The experiment takes more memory than there is. Ask for fewer --tasks.\n"


def _lives(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False
