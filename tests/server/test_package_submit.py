"""`windtunnel package submit`: from a file to a deployment, with each refusal in one sentence."""

import re
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.packages.directories import directory
from tests.packages.world import package
from tests.processes import Api
from windtunnel.packages.building import build_package

MIB = 1024 * 1024


def run(product: Api, *arguments: str | Path) -> Result:
    return CliRunner().invoke(
        cli, ["package", "submit", "--server", product.url, *(str(argument) for argument in arguments)]
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "triage.agent.zip"
    made.write_bytes(package(name="demo/triage"))
    return made


def deployments(rest: httpx.Client) -> list[dict[str, Any]]:
    answer = rest.post("/graphql", json={"query": "{ deployments { nodes { id package { digest } } } }"}).json()
    found: list[dict[str, Any]] = answer["data"]["deployments"]["nodes"]
    return found


def test_a_package_is_uploaded_and_submitted(product: Api, rest: httpx.Client, file: Path) -> None:
    refused = run(product, file, "--no-wait")
    if refused.exit_code:  # the agent may be there from another test
        assert refused.stderr == (
            "windtunnel: There is no agent 'triage'. Register it with `registerAgent`, or add --register.\n"
        )
    digest = sha256(file.read_bytes()).hexdigest()
    done = run(product, file, "--no-wait", "--register", "--changelog", "Better.", "--key", "k-1")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][0] == "uploaded"
    assert lines[0][-1] == f"sha256:{digest}"
    (deployment_id,) = [line[1] for line in lines if line[0] == "submitted"]
    assert lines[-1][:3] == ["expected", "review", "by"]
    again = run(product, file, "--no-wait", "--changelog", "Better.", "--key", "k-1")
    assert f"submitted  {deployment_id}" in again.stdout
    assert [each["package"]["digest"] for each in deployments(rest) if each["id"] == deployment_id] == [digest]


def test_its_validation_is_awaited_and_shown(product: Api, file: Path, tmp_path: Path) -> None:
    done = run(product, file, "--register")
    assert done.exit_code == 0
    assert "validated  IN_REVIEW" in done.stdout
    assert "Waits for 1 approval, by others than you, until " in done.stdout
    assert "ok        ARCHIVE_SOUND" in done.stdout
    bad = tmp_path / "bad.agent.zip"
    bad.write_bytes(package(name="demo/triage", version="1"))
    refused = run(product, bad)
    assert refused.exit_code == 1
    assert "MANIFEST_INVALID  agent.json: version" in refused.stdout
    assert "validated  INVALID" in refused.stdout


def test_what_cannot_be_submitted_is_one_sentence(product: Api, file: Path, tmp_path: Path) -> None:
    nameless = tmp_path / "x.zip"
    nameless.write_bytes(b"no archive")
    for arguments, code, said in (
        (("nowhere.zip",), 2, "'nowhere.zip' cannot be read: no such file or directory."),
        ((nameless,), 1, f"{str(nameless)!r} does not tell its name. See `windtunnel package check`."),
        ((file, "--register", "--evidence", "x"), 1, "This is no evidence: "),
        ((file, "--signature", nameless), 1, ""),
        ((file, "--server", "http://127.0.0.1:1"), 2, "http://127.0.0.1:1 does not answer: "),
    ):
        result = run(product, *arguments)
        assert (result.exit_code, "submitted  " in result.stdout) == (code, False)
        assert result.stderr.startswith(f"windtunnel: {said}")
        assert result.stderr.count("\n") == 1


def test_who_is_not_known_reads_where_the_token_goes(product: Api, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDTUNNEL_TOKEN", "wt_0123")
    refused = run(product, file)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("windtunnel: The server does not know who you are: set WINDTUNNEL_TOKEN")


def test_the_same_package_twice_is_noted(product: Api, tmp_path: Path) -> None:
    file = tmp_path / "twice.agent.zip"
    file.write_bytes(package(name="demo/twice"))
    first = run(product, file, "--register", "--no-wait", "--key", "k-2")
    again = run(product, file, "--no-wait", "--key", "k-2")
    assert "the same package" not in first.stdout + again.stdout
    (deployment_id,) = re.findall(r"^submitted  (\S+)", first.stdout, re.MULTILINE)
    other = run(product, file, "--no-wait")
    (noted,) = [line for line in other.stdout.splitlines() if line.startswith("note ")]
    assert noted.endswith(f"already; withdraw one:  {deployment_id}")


def test_a_megabyte_is_built_uploaded_and_submitted(product: Api, tmp_path: Path) -> None:
    made = directory(tmp_path / "in", name="demo/large")
    (made / "weights.bin").write_bytes(Random(7).randbytes(MIB))  # no compressor makes less of it
    built = build_package(made, tmp_path / "large.agent.zip")
    assert built.size_bytes > MIB
    done = run(product, built.path, "--register", "--no-wait")
    assert done.exit_code == 0
    assert "registered large" in done.stdout
