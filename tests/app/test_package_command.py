"""`windtunnel package`: build, check, schema."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.packages.directories import directory
from tests.packages.world import FILES, package
from windtunnel.packages.publishing import manifest_schema


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["package", *(str(argument) for argument in arguments)])


def test_what_was_built_passes(tmp_path: Path) -> None:
    archive = tmp_path / "triage.agent.zip"
    made = directory(tmp_path / "in")
    (made / ".DS_Store").write_bytes(b"")
    built = run("build", made, "-o", archive)
    assert built.exit_code == 0
    assert "left out  .DS_Store" in built.stderr
    assert f"{archive}  " in built.stdout
    assert "sha256:" in built.stdout
    checked = run("check", archive)
    assert checked.exit_code == 0
    assert checked.stdout.splitlines()[-1] == f"{archive}  passed"
    assert [line.split()[:2] for line in checked.stdout.splitlines()[:-1]] == [
        ["ok", "ARCHIVE_SOUND"],
        ["ok", "MANIFEST_VALID"],
        ["ok", "FILES_COMPLETE"],
        ["ok", "DECLARATION_KEPT"],
        ["ok", "CODE_READ"],
        ["ok", "NO_SECRETS"],
    ]


def test_what_is_in_the_files_is_found_before_anybody_else_sees_it(tmp_path: Path) -> None:
    made = directory(tmp_path / "in", FILES | {"triage/more.py": b"import socket\n"})
    built = run("build", made, "-o", tmp_path / "triage.agent.zip")
    assert built.exit_code == 1
    assert "NETWORK_UNDECLARED  triage/more.py:1: " in built.stdout
    assert "permissions.network" in built.stdout


def test_what_is_wrong_is_shown_with_what_to_do(tmp_path: Path) -> None:
    archive = tmp_path / "triage.agent.zip"
    archive.write_bytes(package(version="1"))
    checked = run("check", archive)
    assert checked.exit_code == 1
    assert "HIGH      MANIFEST_INVALID  agent.json: version: It is an exact version" in checked.stdout
    assert "          Correct `agent.json`" in checked.stdout
    assert checked.stdout.splitlines()[-1] == f"{archive}  refused"
    built = run("build", directory(tmp_path / "in", version="1"), "-o", archive)
    assert built.exit_code == 1
    assert "MANIFEST_INVALID" in built.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "nowhere.zip"), "'nowhere.zip' cannot be read: no such file or directory."),
        (("check", "."), "'.' cannot be read: is a directory."),
        (("build", "nowhere"), "'nowhere' cannot be read: no such file or directory."),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"windtunnel: {said}\n"


def test_the_schema_is_printed() -> None:
    result = run("schema")
    assert (result.exit_code, result.stdout) == (0, manifest_schema())
