"""The what-if of the README: whoever repeats it sees what is written there."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMAND = ".venv/bin/windtunnel experiment --network"


def test_the_what_if_of_the_readme_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    line = next(line for line in README.splitlines() if line.startswith(COMMAND))
    words = shlex.split(line)[1:]
    words[words.index("--out") + 1] = str(tmp_path)
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.stderr) == (0, "")
    shown = [line for line in README.splitlines() if line.startswith(("Success: ", "Latency, 95th percentile: "))]
    assert len(shown) == 2
    for line in shown:
        assert line in done.stdout
    assert (tmp_path / "report.html").exists()
    assert (ROOT / "docs" / "experiment.png").exists()
