"""Users: root gives each run a user of its own, and an ordinary user is kept in just as well."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.house import sandbox
from windtunnel.domain.isolation import Isolation, IsolationLevel, Mechanism
from windtunnel.sandbox.identity import own_user

ROOT = Path(__file__).parents[2]
NOBODY = 65534
AS_NOBODY = """
import asyncio, json, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Mechanism
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.probing import Targets, probe

FORK = "import os\\nwhile True:\\n  try: os.fork()\\n  except OSError: pass"

async def main():
    here, found = Path(sys.argv[2]), []
    for without in (set(), {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}):
        isolation = await detect(here, without=frozenset(without))
        box = Sandbox(here / "environment", (), Limits(processes=8), isolation)
        outcomes = {result.outcome for result in await probe(box, Targets())}
        bounded = Mechanism.TASK_LIMIT in isolation.mechanisms
        breach = (await box.run(("python", "-c", FORK))).breach if bounded else None
        found.append([isolation.level, sorted(outcomes), bounded, breach])
        await box.remove()
    print(json.dumps([found, [path.name for path in here.iterdir()]]))

asyncio.run(main())
"""


def _for_everybody(path: str) -> bool:
    real = Path(path).resolve()
    return all(parent.stat().st_mode & 0o001 for parent in (real, *real.parents))


def _interpreter() -> str:
    """One that an ordinary user can run, and that is new enough."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")):
        if candidate and _for_everybody(candidate):
            asked = subprocess.run(
                [candidate, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, check=True
            )
            if asked.stdout.strip() == b"True":
                return candidate
    pytest.skip("There is no Python 3.11 here that an ordinary user can run.")


def test_an_ordinary_user_is_kept_in_and_bounded(tmp_path: Path, best: Isolation) -> None:
    here = tmp_path if os.geteuid() else Path("/tmp") / tmp_path.name.replace("_", "-")  # pytest's own are root's alone
    here.mkdir(mode=0o700, exist_ok=True)
    user = NOBODY if os.geteuid() == 0 else None
    if user:
        os.chown(here, user, user)
    try:
        ran = subprocess.run(
            [_interpreter(), "-I", "-S", "-c", AS_NOBODY, str(ROOT), str(here)],
            cwd="/",
            env={},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        assert ran.returncode == 0, ran.stderr
        (first, second), left = json.loads(ran.stdout)
    finally:
        if user:
            shutil.rmtree(here)
    assert left == []
    if best.level is IsolationLevel.FULL:
        assert first == ["FULL", ["DENIED"], True, "processes"]
    assert second == ["LANDLOCK" if best.landlock_abi else "LOGICAL", second[1], False, None]
    assert "ALLOWED" not in second[1]


async def test_root_gives_each_run_another_user_of_the_host(tmp_path: Path, best: Isolation) -> None:
    users = {own_user() for _ in range(5)}
    if os.geteuid() != 0:
        assert users == {-1}
        return
    assert len(users) == 5 or users == {-1}
    assert 0 not in users
    if Mechanism.NAMESPACES in best.mechanisms:
        outcome = await sandbox(tmp_path / "environment", best).run(
            ("python", "-c", "print(open('/proc/self/uid_map').read())")
        )
        mapped = [line.split() for line in outcome.stdout.decode().splitlines() if line.strip()]
        assert [inside for inside, _, _ in mapped] == ["0", "1000"]
        assert mapped[1][1] != "0"
