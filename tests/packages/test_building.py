"""Building: the same files give the same bytes, and what is built passes the check."""

import json
import os
import zipfile
import zlib
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packages.directories import directory, write
from tests.packages.world import FILES, MANIFEST, codes, listed
from windtunnel.packages.building import BuildError, build_package
from windtunnel.packages.codes import Code
from windtunnel.packages.zipping import BLOCK_BYTES, ArchiveWriter

BIG = FILES | {"data/big.bin": bytes(range(256)) * 1_000, "data/empty": b"", "data/größe.txt": b"x"}
DIGEST = "f3f7cb84377191eab8f73b817e9d5033fa56ab2bdc10cee33a1df3c31c6d7c50"


def test_the_same_files_give_the_same_bytes_whatever_is_around_them(tmp_path: Path) -> None:
    one, other = directory(tmp_path / "one", BIG), directory(tmp_path / "other", dict(reversed(BIG.items())))
    for path in other.rglob("*"):
        path.chmod(0o755)
        os.utime(path, (10**9, 10**9))
    first, second = build_package(one, tmp_path / "1.zip"), build_package(other, tmp_path / "2.zip")
    assert first.digest == second.digest == sha256((tmp_path / "1.zip").read_bytes()).hexdigest()
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.passed
    assert first.size_bytes == first.path.stat().st_size


def test_the_bytes_are_known_beforehand(tmp_path: Path) -> None:
    """On every machine and with every compressor: none is asked."""
    built = build_package(directory(tmp_path / "in"), tmp_path / "out.zip")
    assert built.digest == DIGEST


def test_it_is_as_the_format_has_it(tmp_path: Path) -> None:
    built = build_package(directory(tmp_path / "in", BIG), tmp_path / "out.zip")
    with zipfile.ZipFile(built.path) as archive:
        names = archive.namelist()
        assert names == ["agent.json", *sorted(BIG, key=str.encode)]
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_DEFLATED
            assert info.external_attr >> 16 == 0o100644
            assert (info.create_system, info.extra, info.comment) == (3, b"", b"")
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in BIG} == BIG
        assert json.loads(archive.read("agent.json")) == MANIFEST | {"files": listed(BIG)}
        assert archive.comment == b""


def test_files_are_filled_in_whatever_stood_there(tmp_path: Path) -> None:
    made = directory(tmp_path / "in", files={"old.py": {"sha256": "0" * 64, "size": 1}})
    built = build_package(made, tmp_path / "out.zip")
    assert built.passed
    with zipfile.ZipFile(built.path) as archive:
        assert json.loads(archive.read("agent.json"))["files"] == listed(FILES)
        assert list(json.loads(archive.read("agent.json")))[-1] == "files"


def test_its_name_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = directory(tmp_path / "in", version="1.2.0-rc.1+build")
    assert build_package(made).path == Path("triage-1.2.0-rc.1+build.agent.zip")
    assert build_package(directory(made, name="../evil/../x", version="/")).path == Path("x--.agent.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "triage-1.2.0-rc.1+build.agent.zip",
        "x--.agent.zip",
    ]


def test_what_is_no_part_of_an_agent_is_left_out(tmp_path: Path) -> None:
    made = directory(tmp_path / "in")
    write(
        made,
        {
            ".git/config": b"",
            "triage/__pycache__/main.cpython-311.pyc": b"",
            "triage/old.pyc": b"",
            ".DS_Store": b"",
            "triage-1.0.0.agent.zip": b"",
            "triage-1.0.0.dsse.json": b"",
            ".env.example": b"",
        },
    )
    built = build_package(made, made / "triage-1.0.0.agent.zip")
    assert sorted(built.left_out) == [
        ".DS_Store",
        ".git/",
        "triage-1.0.0.agent.zip",
        "triage-1.0.0.dsse.json",
        "triage/__pycache__/",
        "triage/old.pyc",
    ]
    with zipfile.ZipFile(built.path) as archive:
        assert archive.namelist() == ["agent.json", ".env.example", *FILES]
    assert build_package(made, tmp_path / "again.zip").digest == built.digest


def test_what_is_wrong_is_said_and_built_all_the_same(tmp_path: Path) -> None:
    built = build_package(directory(tmp_path / "in", version="1.0"), tmp_path / "out.zip")
    assert not built.passed
    assert [check.code for check in built.checks if check.blocks] == [Code.MANIFEST_INVALID]
    assert codes(built.path.read_bytes()) == [Code.MANIFEST_INVALID]


def _link(made: Path) -> None:
    (made / "link.py").symlink_to("health.py")


def _linked_directory(made: Path) -> None:
    (made / "linked").symlink_to("/etc")


def _pipe(made: Path) -> None:
    os.mkfifo(made / "pipe")


def _without_manifest(made: Path) -> None:
    (made / "agent.json").unlink()


def _broken_manifest(made: Path) -> None:
    (made / "agent.json").write_bytes(b'{"name": "a/b", "name": "c/d"}')


def _odd_name(made: Path) -> None:
    (made / "a\nb").write_bytes(b"")


def _no_text(made: Path) -> None:
    Path(os.fsdecode(os.fsencode(made) + b"/caf\xe9")).write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_link, "'link.py' is no plain file"),
        (_linked_directory, "'linked' is a link"),
        (_pipe, "'pipe' is no plain file"),
        (_without_manifest, "There is no agent.json"),
        (_broken_manifest, "agent.json cannot be used. The key 'name' is there twice."),
        (_odd_name, r"'a\\nb' cannot be packed."),
        (_no_text, "cannot be packed. The path has control characters"),
    ],
)
def test_what_cannot_be_packed_is_refused(tmp_path: Path, spoil: object, said: str) -> None:
    made = directory(tmp_path / "in")
    spoil(made)  # type: ignore[operator]
    with pytest.raises(BuildError) as refused:
        build_package(made, tmp_path / "out.zip")
    assert said in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_places_that_cannot_be_read_or_written_are_said(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot be read: no such file"):
        build_package(tmp_path / "nowhere")
    made = directory(tmp_path / "in")
    with pytest.raises(BuildError, match="cannot be written: no such file"):
        build_package(made, tmp_path / "nowhere" / "out.zip")
    write(made, {f"{number}": b"" for number in range(5_000)})
    with pytest.raises(BuildError, match="more than 5,000 files"):
        build_package(made, tmp_path / "out.zip")


def test_a_file_that_changes_meanwhile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = directory(tmp_path / "in")
    add = ArchiveWriter.add

    def change_first(writer: ArchiveWriter, path: str, content: object) -> None:
        (made / "health.py").write_bytes(b"changed")
        add(writer, path, content)  # type: ignore[arg-type]

    monkeypatch.setattr(ArchiveWriter, "add", change_first)
    built = build_package(made, tmp_path / "out.zip")
    assert [check.code for check in built.checks if check.blocks] == [Code.FILE_DIFFERENT]


@given(st.lists(st.binary(max_size=100), max_size=5), st.sampled_from([0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 200_000]))
@settings(max_examples=40, deadline=None)
def test_blocks_are_a_deflate_stream(pieces: list[bytes], more: int) -> None:
    content = [*pieces, bytes(more)]
    file = BytesIO()
    writer = ArchiveWriter(file)
    writer.add("a", content)
    writer.finish()
    with zipfile.ZipFile(file) as archive:
        assert archive.read("a") == b"".join(content)
        (info,) = archive.infolist()
        packed = file.getvalue()[31 : 31 + info.compress_size]
        inflater = zlib.decompressobj(-15)
        assert inflater.decompress(packed) == b"".join(content)
        assert inflater.eof
        assert inflater.unused_data == b""
    assert codes(file.getvalue()) == [Code.MANIFEST_MISSING]
