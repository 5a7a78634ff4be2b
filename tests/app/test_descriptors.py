"""A process takes as many file descriptors as it may, and its children what they are given."""

import subprocess
import sys

SCRIPT = (
    "from app.descriptors import take_descriptors; import resource; print(take_descriptors(), *resource.getrlimit(7))"
)


def test_the_soft_limit_becomes_the_hard_one() -> None:
    started = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -Sn 64 && ulimit -Hn 512 && exec "$0" -c "$1"', sys.executable, SCRIPT],
        check=True,
        capture_output=True,
        text=True,
    )
    assert started.stdout.split() == ["512", "512", "512"]
