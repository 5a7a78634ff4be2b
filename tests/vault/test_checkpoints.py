"""Checkpoint files: appended to by any number of processes, believed only with our signature."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.vault.checkpoints import CheckpointFiles

TENANT = "01938f2c-7b1e-7abc-8def-0123456789ab"


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(TENANT, size, f"{size:064x}")


@pytest.fixture
def files(tmp_path: Path) -> CheckpointFiles:
    return CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / f"{TENANT}.checkpoints"


def sizes(files: CheckpointFiles) -> list[int]:
    return [each.size for each in files.read(TENANT).checkpoints]


def test_nothing_is_made_by_looking(files: CheckpointFiles, tmp_path: Path) -> None:
    assert (files.tenants(), files.last(TENANT), sizes(files)) == (set(), None, [])
    assert list(tmp_path.iterdir()) == []


def test_what_is_appended_is_read_again(files: CheckpointFiles, path: Path, tmp_path: Path) -> None:
    files.append(TENANT, [checkpoint(1), checkpoint(100)])
    files.append(TENANT, [checkpoint(200)])
    again = CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")
    assert again.read(TENANT).checkpoints == (checkpoint(1), checkpoint(100), checkpoint(200))
    assert again.read(TENANT).refused == ()
    assert again.last(TENANT) == checkpoint(200)
    assert again.tenants() == {TENANT}
    assert path.read_text().startswith(f"windtunnel/audit/{TENANT}\n1\n")


def test_what_is_there_already_is_not_written_again(files: CheckpointFiles) -> None:
    files.append(TENANT, [checkpoint(100)])
    files.append(TENANT, [checkpoint(50), checkpoint(100), checkpoint(101)])
    files.append(TENANT, [checkpoint(101)])
    assert sizes(files) == [100, 101]


def test_many_processes_share_a_file(tmp_path: Path) -> None:
    def append(number: int) -> None:
        files = CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")
        for size in range(1, 11):
            files.append(TENANT, [checkpoint(10 * size + number % 3)])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(append, range(6)))
    files = CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")
    assert files.read(TENANT).refused == ()
    assert sizes(files) == sorted(set(sizes(files)))
    assert sizes(files)[-1] == 102


def test_half_a_checkpoint_at_the_end_does_not_count(files: CheckpointFiles, path: Path) -> None:
    files.append(TENANT, [checkpoint(1), checkpoint(2)])
    whole = path.read_bytes()
    begins = whole.index(b"\nwindtunnel") + 1
    for end in range(begins, len(whole)):
        path.write_bytes(whole[:end])
        assert files.read(TENANT).refused == (), end
        assert sizes(files) == [1], end
    path.write_bytes(whole[:-5])
    files.append(TENANT, [checkpoint(3)])
    assert (sizes(files), files.read(TENANT).refused) == ([1, 3], ())


def test_forged_checkpoints_are_refused(files: CheckpointFiles, path: Path, tmp_path: Path) -> None:
    files.append(TENANT, [checkpoint(1), checkpoint(2), checkpoint(3)])
    content = path.read_text()
    path.write_text(content.replace("\n2\n", "\n9\n"))
    (refused,) = files.read(TENANT).refused
    assert (refused.seq, refused.reason) == (9, "has a checkpoint that is not signed by this server's key")
    assert sizes(files) == [1, 3]
    path.write_text("garbage\n\n\N{EM DASH} x\n" + content)
    assert [each.seq for each in files.read(TENANT).refused] == [1]
    path.write_bytes(content.encode().replace(b"\n2\n", b"\n\xff\n"))
    assert [each.seq for each in files.read(TENANT).refused] == [2]

    other = CheckpointFiles(tmp_path / "other", tmp_path / "other.key")
    other.append(TENANT, [checkpoint(4)])
    path.write_text(content + (tmp_path / "other" / path.name).read_text())
    assert [each.seq for each in files.read(TENANT).refused] == [4]
    assert files.last(TENANT) == checkpoint(3)
    files.append(TENANT, [checkpoint(4)])  # a forgery keeps nobody from going on
    assert sizes(files) == [1, 2, 3, 4]


def test_checkpoints_of_another_tenant_are_refused(files: CheckpointFiles, path: Path) -> None:
    files.append("other", [Checkpoint("other", 7, "7" * 64)])
    files.append(TENANT, [checkpoint(1)])
    path.write_text((path.parent / "other.checkpoints").read_text())
    assert [each.seq for each in files.read(TENANT).refused] == [7]


def test_the_public_key_is_enough_to_check_elsewhere(files: CheckpointFiles, path: Path, tmp_path: Path) -> None:
    files.append(TENANT, [checkpoint(1)])
    elsewhere = CheckpointFiles(path.parent, tmp_path / "nowhere" / "audit.key")
    assert elsewhere.read(TENANT).checkpoints == (checkpoint(1),)
    assert not (tmp_path / "nowhere").exists()
    public = path.with_suffix(".pub")
    public.write_text("something else")
    assert [each.seq for each in elsewhere.read(TENANT).refused] == [1]
    assert sizes(files) == [1]  # where the private key is, that one decides
    public.unlink()
    assert [each.seq for each in elsewhere.read(TENANT).refused] == [1]


def test_a_process_that_is_killed_leaves_a_file_to_go_on_with(files: CheckpointFiles, tmp_path: Path) -> None:
    writing = (
        "import sys; from pathlib import Path;"
        "from windtunnel.domain.checkpoints import Checkpoint;"
        "from windtunnel.vault.checkpoints import CheckpointFiles;"
        "files = CheckpointFiles(Path(sys.argv[1]), Path(sys.argv[2]));"
        "[(files.append(sys.argv[3], [Checkpoint(sys.argv[3], n, f'{n:064x}')]), print(n, flush=True))"
        " for n in range(1, 100_000)]"
    )
    arguments = [str(tmp_path / "audit"), str(tmp_path / "keys" / "audit.key"), TENANT]
    with subprocess.Popen(
        [sys.executable, "-c", writing, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    read = files.read(TENANT)
    assert read.refused == ()
    assert sizes(files) == list(range(1, len(read.checkpoints) + 1))
    assert len(read.checkpoints) >= 20
    files.append(TENANT, [checkpoint(100_000)])
    assert files.last(TENANT) == checkpoint(100_000)
