"""Detection: the report is true of this host, of lesser ones, and of one that refuses."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.house import HOSTS
from windtunnel.domain.confinement import Limit, not_enforced
from windtunnel.domain.isolation import Isolation, IsolationLevel, Mechanism, level_of
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.launch import landlock

ROOT = Path(__file__).parents[2]

WITHOUT_USER_NAMESPACES = """
import asyncio, json, os, sys
from pathlib import Path
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.launch import kernel

user, group = os.getuid(), os.getgid()
kernel.unshare(kernel.CLONE_NEWUSER)
for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
    Path(f"/proc/self/{name}").write_text(text)
Path("/proc/sys/user/max_user_namespaces").write_text("0")
found = asyncio.run(detect(Path(sys.argv[1])))
print(json.dumps([found.level, sorted(found.mechanisms), found.details["namespaces"]]))
"""


def test_the_level_is_made_up_of_what_was_found(isolation: Isolation) -> None:
    assert isolation.level is level_of(isolation.mechanisms)


def test_every_mechanism_has_a_sentence(isolation: Isolation) -> None:
    assert set(isolation.details) == set(Mechanism)
    assert all(sentence.endswith(".") for sentence in isolation.details.values())


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_forced_off_is_not_found(host: str, found: Callable[[frozenset[Mechanism]], Isolation]) -> None:
    isolation = found(HOSTS[host])
    assert not isolation.mechanisms & HOSTS[host]
    assert {isolation.details[mechanism] for mechanism in HOSTS[host]} <= {"Switched off."}


def test_a_host_with_namespaces_and_landlock_is_full(best: Isolation) -> None:
    walls = best.mechanisms & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}
    assert (best.level is IsolationLevel.FULL) == bool(walls and Mechanism.LANDLOCK in best.mechanisms)
    assert best.landlock_abi == (landlock.version() if Mechanism.LANDLOCK in best.mechanisms else 0)


def test_without_namespaces_it_is_landlock_and_says_what_it_cannot_hold(
    found: Callable[[frozenset[Mechanism]], Isolation],
) -> None:
    isolation = found(HOSTS["without namespaces"])
    expected = IsolationLevel.LANDLOCK if landlock.version() else IsolationLevel.LOGICAL
    assert isolation.level is expected
    assert {Limit.DISK, Limit.FILES} <= not_enforced(isolation)


def test_bubblewrap_is_found_where_it_is_on_the_path_and_needed(
    found: Callable[[frozenset[Mechanism]], Isolation],
) -> None:
    isolation = found(frozenset({Mechanism.NAMESPACES}))
    if path := shutil.which("bwrap"):
        assert isolation.bubblewrap in {path, ""}
        assert (Mechanism.BUBBLEWRAP in isolation.mechanisms) == bool(isolation.bubblewrap)
    else:
        assert isolation.details[Mechanism.BUBBLEWRAP] == "There is no bwrap on PATH."


async def test_with_everything_off_it_is_logical_and_nothing_was_run(tmp_path: Path) -> None:
    isolation = await detect(tmp_path, without=frozenset(Mechanism))
    assert isolation.level is IsolationLevel.LOGICAL
    assert isolation.mechanisms == frozenset()
    assert isolation.landlock_abi == 0


def test_the_place_of_the_trials_is_left_as_it_was(tmp_path: Path) -> None:
    asyncio.run(detect(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_old_trials_is_removed(tmp_path: Path) -> None:
    for name in ("trial-old", "trial-under-way", "0123456789abcdef"):
        (tmp_path / name / "inner").mkdir(parents=True)
    for name in ("trial-old", "0123456789abcdef"):
        os.utime(tmp_path / name, (0, 0))
    asyncio.run(detect(tmp_path, without=frozenset(Mechanism)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0123456789abcdef", "trial-under-way"]


def test_a_host_that_refuses_namespaces_is_told_apart(tmp_path: Path, best: Isolation) -> None:
    """A real one: a process in whose user namespace there can be no other."""
    if Mechanism.NAMESPACES not in best.mechanisms:  # this host is such a one
        assert best.details[Mechanism.NAMESPACES].startswith(("Refused by the host: ", "Holds nothing back: "))
        return
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_USER_NAMESPACES, str(tmp_path)],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    level, mechanisms, why = json.loads(ran.stdout)
    assert level == (IsolationLevel.LANDLOCK if best.landlock_abi else IsolationLevel.LOGICAL)
    assert Mechanism.NAMESPACES not in mechanisms
    assert why.startswith("Refused by the host: own: namespaces: ")
