"""Checks and unpacks every archive in a directory, and prints by how many bytes the memory of its process has grown.

    python -m tests.packages.devouring ARCHIVES DIRECTORY

What counts is the most that the process has had at any time, whoever has asked for it. The first archive, which is a
small one that passes, is what a process needs anyway.
"""

import sys
from pathlib import Path

from windtunnel.packages.unpacking import PackageRefusedError, unpack_package

KIB = 1024


def devour(path: Path, directory: Path) -> bool:
    """Whether it passed."""
    directory.mkdir()
    with path.open("rb") as file:
        try:
            unpack_package(file, directory)
        except PackageRefusedError:
            return False
    return True


def most() -> int:
    """The most memory that this process has had, in bytes."""
    # Not `ru_maxrss`: that of whoever has started this process counts in it.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * KIB


def main() -> None:
    first, *others = sorted(Path(sys.argv[1]).iterdir())
    directory = Path(sys.argv[2])
    assert devour(first, directory / first.name)
    before = most()
    for path in others:
        passed = devour(path, directory / path.name)
        sys.stdout.write(f"{path.name} {'passed' if passed else 'refused'} {most() - before}\n")


if __name__ == "__main__":
    main()
