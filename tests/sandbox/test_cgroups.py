"""Cgroups: what is written into them, what is read from them, and the end of what is in them."""

import subprocess
from pathlib import Path

import pytest

from tests.sandbox.house import MIB
from windtunnel.domain.confinement import Limit, Limits
from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox import cgroups
from windtunnel.sandbox.interpreter import ISOLATED


def test_limits_are_written_into_the_files_that_there_are(tmp_path: Path) -> None:
    """Which those are, controllers decide; a plain directory, where the test puts them, does as well."""
    assert cgroups.settings(Limits(memory_bytes=64 * MIB), 12) == {
        "memory.max": "67108864",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "12",
        "cpu.max": "100000 100000",
    }
    assert list(cgroups.make(tmp_path, "without-controllers", Limits(), 12).iterdir()) == []


@pytest.mark.parametrize(
    ("events", "limit"),
    [
        ({}, None),
        ({"memory.events": "low 0\noom 0\noom_kill 0\n", "pids.events": "max 0\n"}, None),
        ({"memory.events": "low 0\noom 1\noom_kill 1\n", "pids.events": "max 3\n"}, Limit.MEMORY),
        ({"memory.events": "oom_kill 0\n", "pids.events": "max 3\n"}, Limit.PROCESSES),
    ],
)
def test_what_the_kernel_held_is_read_as_a_limit(tmp_path: Path, events: dict[str, str], limit: Limit | None) -> None:
    for name, text in events.items():
        (tmp_path / name).write_text(text)
    assert cgroups.breach(tmp_path) is limit


def test_what_is_in_a_cgroup_ends_with_it(tmp_path: Path, best: Isolation) -> None:
    if Mechanism.CGROUP not in best.mechanisms:  # this host has none for us, and says so
        assert best.details[Mechanism.CGROUP] == "There is no cgroup (v2) that we may write to."
        return
    group = cgroups.make(Path(best.cgroup), f"windtunnel-test-{tmp_path.name}", Limits(), 12)
    with subprocess.Popen((*ISOLATED, "-c", "input()"), stdin=subprocess.PIPE) as child:
        (group / "cgroup.procs").write_text(str(child.pid))
        cgroups.remove(group)
        assert child.wait(60) == -9
    assert not group.exists()
    cgroups.remove(group)
