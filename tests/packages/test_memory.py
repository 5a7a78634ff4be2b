"""Whatever is in a package: the process that checks and unpacks it needs hardly more memory than without it."""

import random
import subprocess
import sys
from pathlib import Path

from tests.packages.archives import Part, archive
from tests.packages.corpus import EVIL
from tests.packages.world import FILES, package, parts

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
GROWS_BY_LESS_THAN = 64 * MIB
LARGE = 46 * MIB


def test_memory_of_the_process_grows_by_less_than_64_mib(tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    (archives / "0").write_bytes(package())
    for number, (make, _) in enumerate(EVIL.values(), 1):
        (archives / f"evil-{number:03}").write_bytes(make())
    noise = random.Random(7)
    large = {f"data/{number}.bin": noise.randbytes(LARGE // 4) for number in range(4)}
    (archives / "large").write_bytes(package(FILES | large))
    many = archive([*parts(), *(Part(f"{'d/' * 15}{number}") for number in range(4_900))])
    (archives / "many").write_bytes(many)
    (tmp_path / "unpacked").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.packages.devouring", str(archives), str(tmp_path / "unpacked")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = {name: (outcome, int(grown)) for name, outcome, grown in map(str.split, done.stdout.splitlines())}
    assert len(told) == len(EVIL) + 2
    assert [name for name, (outcome, _) in told.items() if outcome == "passed"] == ["large"]
    assert max(grown for _, grown in told.values()) < GROWS_BY_LESS_THAN, told
