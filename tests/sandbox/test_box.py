"""Runs: what a command finds inside, what it cannot touch, and what comes back of it."""

import asyncio
import json
import os
from pathlib import Path

import pytest
import uvloop

from tests.sandbox.house import MIB, package, sandbox
from windtunnel.domain.confinement import Usage
from windtunnel.domain.isolation import Isolation, IsolationLevel, Mechanism
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.interpreter import PYTHON

LOOK = """
import json, os, resource, stat, sys
from beside import WORD
status = {}
try:
    with open("/proc/self/status") as lines:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
except OSError:
    pass
json.dump({
    "word": WORD,
    "cwd": os.getcwd(),
    "variables": dict(os.environ),
    "descriptors": [number for number in range(256) if os.path.exists(f"/dev/fd/{number}")]
        if os.path.exists("/dev/fd/0") else [],
    "umask": os.umask(0),
    "home": [os.listdir(os.environ["HOME"]), stat.S_IMODE(os.stat(os.environ["HOME"]).st_mode)],
    "session": os.getsid(0) == os.getpid(),
    "user": os.getuid(),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
    "no_new_privileges": status.get("NoNewPrivs"),
    "capabilities": {status.get(name) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} - {None} == {"0" * 16},
    "stdin": sys.stdin.read(),
    "path": sys.path,
    "flags": [sys.flags.ignore_environment, sys.flags.no_user_site, sys.flags.no_site],
}, sys.stdout)
"""

WRITE = """
import os, sys
for place in sys.argv[1:]:
    try:
        open(os.path.join(place, "new"), "w").close()
        print("written")
    except OSError:
        print("denied")
"""

CHANGE = """
import os, sys
file = sys.argv[1]
for change in (lambda: os.chmod(file, 0o777), lambda: os.utime(file, (0, 0)), lambda: os.unlink(file)):
    try:
        change()
    except OSError:
        pass
"""


async def test_a_run_is_in_a_clean_place_of_its_own(tmp_path: Path, isolation: Isolation) -> None:
    given = package(tmp_path / "package", look=LOOK, beside="WORD = 'found'")
    box = sandbox(tmp_path / "environment", isolation, given)
    outcome = await box.run(("python", "look.py"), cwd=given, stdin=b"told", env={"EXTRA": "1"})
    assert outcome.succeeded, outcome.stderr.decode()
    seen = json.loads(outcome.stdout)
    assert (seen["word"], seen["cwd"], seen["stdin"]) == ("found", str(given), "told")
    assert set(seen["variables"]) <= {"PATH", "LANG", "HOME", "TMPDIR", "EXTRA", "LC_CTYPE"}
    assert seen["variables"]["HOME"] == seen["variables"]["TMPDIR"]
    assert seen["home"] == [[], 0o700]
    assert set(seen["descriptors"]) <= {0, 1, 2, 3}  # the last one is the directory that is being listed
    assert (seen["umask"], seen["session"], seen["core"]) == (0o077, True, 1)
    assert seen["flags"] == [1, 1, 1]
    assert not any("site-packages" in path for path in seen["path"])
    if Mechanism.NAMESPACES in isolation.mechanisms:
        assert (seen["user"], seen["no_new_privileges"], seen["capabilities"]) == (1000, "1", True)


async def test_it_writes_into_its_home_alone(tmp_path: Path, isolation: Isolation) -> None:
    if not isolation.mechanisms & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP, Mechanism.LANDLOCK}:
        assert isolation.level is IsolationLevel.LOGICAL
        return
    given = package(tmp_path / "package", write=WRITE)
    box = sandbox(tmp_path / "environment", isolation, given)
    home = "." if not isolation.mechanisms & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP} else "/sandbox"
    places = (str(given), str(tmp_path), str(box.root), "/", "/tmp", "/usr", "/dev", home)
    outcome = await box.run(("python", str(given / "write.py"), *places))
    assert outcome.stdout.decode().split() == ["denied"] * 7 + ["written"]
    assert [path.name for path in given.iterdir()] == ["write.py"]


async def test_files_outside_keep_their_modes_and_times(tmp_path: Path, isolation: Isolation) -> None:
    """Landlock does not look after these, so that the filter of system calls has to."""
    given = package(tmp_path / "package", change=CHANGE)
    file = tmp_path / "data"
    file.write_text("production")
    file.chmod(0o600)
    before = file.stat()
    await sandbox(tmp_path / "environment", isolation, given).run(("python", str(given / "change.py"), str(file)))
    after = file.stat()
    holds = isolation.mechanisms & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP, Mechanism.SECCOMP}
    assert file.read_text() == "production"
    assert not holds or (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)


async def test_what_a_run_wrote_is_gone_with_it(tmp_path: Path, isolation: Isolation) -> None:
    box = sandbox(tmp_path / "environment", isolation)
    write = "import os; h = os.environ['HOME']; print(os.listdir(h)); open(h + '/kept', 'w').write('1')"
    for _ in range(2):
        outcome = await box.run(("python", "-c", write))
        assert outcome.stdout == b"[]\n"


async def test_exit_statuses_and_signals_come_back(tmp_path: Path, isolation: Isolation) -> None:
    box = sandbox(tmp_path / "environment", isolation)
    commands = ("import sys; sys.exit(7)", "import os; os.kill(os.getpid(), 9)", "import os; os.abort()")
    outcomes = await asyncio.gather(*(box.run(("python", "-c", command)) for command in commands))
    assert [outcome.exit_status for outcome in outcomes] == [7, -9, -6]
    assert [outcome.breach for outcome in outcomes] == [None] * 3


async def test_a_command_that_is_not_there_is_the_commands_fault(tmp_path: Path, best: Isolation) -> None:
    box = sandbox(tmp_path / "environment", best)
    outcome = await box.run(("no-such-program",))
    assert (outcome.exit_status, outcome.usage) == (127, Usage())
    assert outcome.stderr == b"The command cannot be run: No such file or directory.\n"
    outcome = await box.run(("python", "-c", "pass\0"))
    assert outcome.exit_status == 127
    outcome = await box.run(("python", "-c", "pass"), cwd=tmp_path / "missing")
    assert outcome.exit_status == 127


async def test_programs_of_the_host_can_be_run(tmp_path: Path, isolation: Isolation) -> None:
    outcome = await sandbox(tmp_path / "environment", isolation).run(("sh", "-c", "echo $HOME && cat"), stdin=b"x")
    assert outcome.succeeded
    assert outcome.stdout.endswith(b"\nx")


async def test_stdin_and_stdout_may_be_large_and_stdin_unread(tmp_path: Path, best: Isolation) -> None:
    box = sandbox(tmp_path / "environment", best, output_bytes=8 * MIB)
    given = os.urandom(4 * MIB)
    echo = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    echoed, unread = await asyncio.gather(
        box.run(("python", "-c", echo), stdin=given), box.run(("python", "-c", "print(1)"), stdin=given)
    )
    assert echoed.stdout == given
    assert echoed.usage.output_bytes == len(given)
    assert (unread.succeeded, unread.stdout) == (True, b"1\n")


async def test_runs_go_on_side_by_side_and_do_not_see_each_other(tmp_path: Path, isolation: Isolation) -> None:
    box = sandbox(tmp_path / "environment", isolation)
    code = (
        "import os, sys; h = os.environ['HOME']; open(h + '/x', 'w').write(sys.argv[1]); print(open(h + '/x').read())"
    )
    outcomes = await asyncio.gather(*(box.run(("python", "-c", code, str(number))) for number in range(6)))
    assert [outcome.stdout for outcome in outcomes] == [b"%d\n" % number for number in range(6)]
    assert box.remaining() == ()


async def test_what_it_used_is_told(tmp_path: Path, isolation: Isolation) -> None:
    code = "import os; x = b'1' * (20 << 20); h = os.environ['HOME']; open(h + '/f', 'wb').write(b'1' * 100_000)"
    outcome = await sandbox(tmp_path / "environment", isolation).run(("python", "-c", code))
    assert outcome.succeeded
    used = outcome.usage
    assert 20 * MIB < used.max_rss_bytes < 64 * MIB
    assert 100_000 <= used.disk_bytes < 200_000
    assert 0 < used.cpu_s < 10
    assert used.wall_s > 0


def test_on_uvloop_runs_are_the_same(tmp_path: Path, best: Isolation) -> None:
    async def run() -> bytes:
        return (
            await sandbox(tmp_path / "environment", best).run(("python", "-c", "print(input())"), stdin=b"x")
        ).stdout

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == b"x\n"


@pytest.mark.parametrize(
    "weak",
    [
        Isolation(IsolationLevel.LOGICAL),
        Isolation(IsolationLevel.LOGICAL, frozenset({Mechanism.SECCOMP})),
        Isolation(IsolationLevel.LANDLOCK, frozenset({Mechanism.LANDLOCK}), landlock_abi=5),  # signals go anywhere
    ],
)
async def test_root_runs_nothing_without_walls(tmp_path: Path, weak: Isolation) -> None:
    box = sandbox(tmp_path / "environment", weak)
    if os.geteuid() == 0:
        with pytest.raises(SandboxError, match="code would own the host"):
            await box.run(("python", "-c", "pass"))
    else:
        assert (await box.run(("python", "-c", "pass"))).succeeded


async def test_a_sandbox_that_cannot_start_says_at_which_step(tmp_path: Path) -> None:
    mechanisms = frozenset({Mechanism.BUBBLEWRAP})
    broken = Isolation(IsolationLevel.LOGICAL, mechanisms, bubblewrap=str(tmp_path / "no-bwrap"))
    with pytest.raises(SandboxError, match="No such file") as failure:
        await sandbox(tmp_path / "environment", broken).run(("python", "-c", "pass"))
    assert failure.value.step == "bubblewrap"


async def test_the_interpreter_is_the_one_below_virtual_environments(tmp_path: Path, best: Isolation) -> None:
    outcome = await sandbox(tmp_path / "environment", best).run(("python", "-c", "import sys; print(sys.executable)"))
    assert outcome.stdout.decode().strip() == PYTHON


async def test_removing_it_leaves_nothing_even_of_hostile_directories(tmp_path: Path, best: Isolation) -> None:
    box = sandbox(tmp_path / "environment", best)
    await box.run(("python", "-c", "pass"))
    await box.remove()
    await box.remove()
    assert not box.root.exists()
