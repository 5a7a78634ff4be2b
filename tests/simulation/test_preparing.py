"""How the kernel is made ready: what is kept on disk may be broken, and nobody compiles for who is gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from windtunnel.simulation.kernel import preparing
from windtunnel.simulation.kernel.compiling import source_digest


def test_what_cannot_be_read_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [tmp_path / f"x_{source_digest()}.{ending}" for ending in ("nbi", "1.nbc")]
    other = tmp_path / "x_0123456789ab.nbi"
    for file in (*broken, other):
        file.write_text("garbage")
    loads = []

    def load() -> None:
        loads.append([file.exists() for file in broken])
        if broken[1].exists():
            raise ValueError

    monkeypatch.setattr(preparing, "_folder", lambda: str(tmp_path))
    monkeypatch.setattr(preparing, "load", load)
    preparing.prepare()
    assert loads == [[True, True], [False, False]]
    assert other.exists()


def test_compiling_ends_with_who_wanted_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", preparing.__name__]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, env={"NUMBA_CACHE_DIR": str(tmp_path)}, check=False, cwd=Path.cwd()
    )
    assert ended.returncode == 1
    assert not list(tmp_path.rglob("*.nbi"))
