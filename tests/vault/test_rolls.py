"""The roll of all checkpoints: added to by any number of processes, always whole, never over what is not ours."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.rolls import CheckpointsRefusedError


def files_in(directory: Path) -> CheckpointFiles:
    return CheckpointFiles(directory / "audit", directory / "keys" / "audit.key")


def test_many_add_to_it_and_time_only_goes_on(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for number in range(40):
            threads.submit(files_in(tmp_path).enrol, [f"t{number}"], number)
    assert files_in(tmp_path).tenants() == {f"t{number}" for number in range(40)}
    files_in(tmp_path).enrol([], 7)
    assert files_in(tmp_path).read("other").complete_ms == 39


def test_the_public_key_is_enough(tmp_path: Path) -> None:
    files_in(tmp_path).enrol(["gone"], 5)
    (tmp_path / "keys" / "audit.key").unlink()
    evidence = files_in(tmp_path).read("gone")
    assert (evidence.complete_ms, [each.seq for each in evidence.refused]) == (5, [1])
    (tmp_path / "audit" / "roll.pub").unlink()
    assert "not signed by this server's key" in files_in(tmp_path).read("gone").refused[0].reason


def test_what_nobody_here_signed_stays_as_it_is(tmp_path: Path) -> None:
    files_in(tmp_path).enrol(["t"])
    roll = tmp_path / "audit" / "roll.note"
    roll.write_bytes(b"garbage")
    with pytest.raises(CheckpointsRefusedError):
        files_in(tmp_path).enrol(["u"])
    assert roll.read_bytes() == b"garbage"


def test_a_process_that_is_killed_leaves_it_whole(tmp_path: Path) -> None:
    writing = (
        "import sys; from pathlib import Path;"
        "from windtunnel.vault.checkpoints import CheckpointFiles;"
        "files = CheckpointFiles(Path(sys.argv[1]), Path(sys.argv[2]));"
        "[(files.enrol([str(n)], n), print(n, flush=True)) for n in range(100_000)]"
    )
    arguments = [str(tmp_path / "audit"), str(tmp_path / "keys" / "audit.key")]
    with subprocess.Popen(
        [sys.executable, "-c", writing, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    found = files_in(tmp_path).tenants()
    assert len(found) >= 20
    files_in(tmp_path).enrol(["last"])
    assert files_in(tmp_path).tenants() == {*found, "last"}
