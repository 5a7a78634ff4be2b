"""Runaways: each stops at its limit, which is named; each of them is bounded by itself, too, and harms nobody."""

from pathlib import Path

import pytest

from tests.sandbox.house import MIB, sandbox
from windtunnel.domain.confinement import Limit, not_enforced
from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox.outcome import Outcome

EAT = "eaten = []\nfor _ in range(300): eaten.append(b'1' * 1_000_000)"
EAT_AT_ONCE = "bytearray(1 << 30)"
EAT_SHARED = """
import mmap, signal
eaten = mmap.mmap(-1, 200 << 20)
for place in range(0, 200 << 20, 4096):
    eaten[place] = 1
signal.pause()
"""
EAT_TOGETHER = """
import os, signal
for _ in range(4):
    if not os.fork():
        eaten = b'1' * (25 << 20)
        signal.pause()
signal.pause()
"""
SPIN = "while True: pass"
SPIN_TOGETHER = "import os\nfor _ in range(2): os.fork()\nwhile True: pass"
SPIN_UNSEEN = """
import os
while True:
    if not (child := os.fork()):
        for _ in range(300_000): pass
        os._exit(0)
    os.waitpid(child, 0)
"""
FILL_ONE = (
    "import os\nwith open(os.environ['HOME'] + '/f', 'wb', 0) as f:\n  for _ in range(1000): f.write(b'1' * 65536)"
)
FILL_MANY = "import os\nos.chdir(os.environ['HOME'])\nfor n in range(1000): open(str(n), 'wb').write(b'1' * 65536)"
MANY_FILES = "import os\nos.chdir(os.environ['HOME'])\nfor n in range(20_000): open(str(n), 'wb').close()"
DEEP = "import os\nos.chdir(os.environ['HOME'])\nfor n in range(3000): os.mkdir('d'); os.chdir('d')"
HIDE = "import os, signal\nos.chdir(os.environ['HOME'])\nos.mkdir('d')\nos.chmod('d', 0)\nsignal.pause()"
FLOOD = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
FLOOD_STUBBORN = "import signal, sys\nsignal.signal(15, signal.SIG_IGN)\nwhile True: sys.stderr.write('x' * 65536)"
FORK = "import os, signal\nwhile True:\n  try: os.fork()\n  except OSError: pass"
FORK_SOME = "import os, signal\nfor _ in range(20):\n  if not os.fork(): signal.pause()\nsignal.pause()"
THREADS = "import threading\nfor _ in range(20): threading.Thread(target=threading.Event().wait).start()"


async def _run(root: Path, isolation: Isolation, code: str, wall_s: float = 60.0, **limits: float) -> Outcome:
    box = sandbox(root, isolation, **limits)
    outcome = await box.run(("python", "-c", code), wall_s=wall_s)
    assert box.remaining() == ()
    return outcome


@pytest.mark.parametrize("code", [EAT, EAT_AT_ONCE, EAT_SHARED, EAT_TOGETHER])
async def test_memory(tmp_path: Path, watched: Isolation, code: str) -> None:
    outcome = await _run(tmp_path / "environment", watched, code)
    assert outcome.breach is Limit.MEMORY
    assert outcome.exit_status in {-9, 1}
    assert not outcome.succeeded


@pytest.mark.parametrize("code", [SPIN, SPIN_TOGETHER, SPIN_UNSEEN])
async def test_cpu(tmp_path: Path, watched: Isolation, code: str) -> None:
    outcome = await _run(tmp_path / "environment", watched, code, cpu_s=0.3)
    assert (outcome.breach, outcome.exit_status) == (Limit.CPU, -9)
    assert 0.3 <= outcome.usage.cpu_s < 3


async def test_wall(tmp_path: Path, watched: Isolation) -> None:
    outcome = await _run(tmp_path / "environment", watched, "import signal; signal.pause()", wall_s=0.2)
    assert (outcome.breach, outcome.exit_status) == (Limit.WALL, -15)
    assert outcome.usage.wall_s >= 0.2


@pytest.mark.parametrize("code", [FILL_ONE, FILL_MANY])
async def test_disk(tmp_path: Path, watched: Isolation, code: str) -> None:
    outcome = await _run(tmp_path / "environment", watched, code, files=1_000)
    assert outcome.breach is Limit.DISK
    if Limit.DISK not in not_enforced(watched):
        assert outcome.usage.disk_bytes <= 4 * MIB + 4096


@pytest.mark.parametrize("code", [MANY_FILES, DEEP])
async def test_files(tmp_path: Path, watched: Isolation, code: str) -> None:
    assert (await _run(tmp_path / "environment", watched, code)).breach is Limit.FILES


async def test_what_cannot_be_measured_counts_as_too_much(tmp_path: Path, watched: Isolation) -> None:
    """Unless it is measured otherwise, or modes cannot be changed: then the run ends for its wall time."""
    outcome = await _run(tmp_path / "environment", watched, HIDE, wall_s=0.5)
    assert outcome.breach in {Limit.FILES, Limit.WALL}


@pytest.mark.parametrize("code", [FLOOD, FLOOD_STUBBORN])
async def test_output(tmp_path: Path, watched: Isolation, code: str) -> None:
    outcome = await _run(tmp_path / "environment", watched, code, output_bytes=100_000)
    assert outcome.breach is Limit.OUTPUT
    assert len(outcome.stdout + outcome.stderr) == 100_000


async def test_output_of_just_as_much_as_is_allowed_is_fine(tmp_path: Path, best: Isolation) -> None:
    code = "import sys; sys.stdout.write('x' * 600); sys.stderr.write('y' * 400)"
    outcome = await _run(tmp_path / "environment", best, code, output_bytes=1_000)
    assert outcome.succeeded
    assert (outcome.stdout, outcome.stderr) == (b"x" * 600, b"y" * 400)


async def test_processes(tmp_path: Path, watched: Isolation) -> None:
    """Without end only where the kernel bounds it; elsewhere some, which are seen and ended."""
    bounded = Limit.PROCESSES not in not_enforced(watched)
    assert bounded == (Mechanism.TASK_LIMIT in watched.mechanisms)
    outcome = await _run(tmp_path / "environment", watched, FORK if bounded else FORK_SOME)
    assert (outcome.breach, outcome.exit_status) == (Limit.PROCESSES, -9)
    if bounded:
        assert outcome.usage.processes <= 16


async def test_processes_that_are_left_behind_count_however_soon_that_is(tmp_path: Path, watched: Isolation) -> None:
    code = "import os, signal\ntry:\n  while True:\n    if not os.fork(): signal.pause()\nexcept OSError: pass"
    outcome = await sandbox(tmp_path / "environment", watched).run(("python", "-c", code))
    assert outcome.breach is Limit.PROCESSES


async def test_threads_count_as_processes(tmp_path: Path, watched: Isolation) -> None:
    assert (await _run(tmp_path / "environment", watched, THREADS)).breach is Limit.PROCESSES


async def test_as_many_processes_as_are_allowed_are_fine(tmp_path: Path, watched: Isolation) -> None:
    code = "import os\nfor _ in range(7):\n  if not os.fork(): os._exit(0)\nfor _ in range(7): os.wait()"
    assert (await _run(tmp_path / "environment", watched, code)).succeeded


async def test_the_neighbours_of_a_runaway_are_not_harmed(tmp_path: Path, best: Isolation) -> None:
    neighbour = sandbox(tmp_path / "neighbour", best)
    for code in (EAT, FILL_MANY, FLOOD):
        runaway = await _run(tmp_path / "environment", best, code, files=1_000)
        assert runaway.breach is not None
        assert (await neighbour.run(("python", "-c", "print(1)"))).succeeded
