"""The example agent: it can be built, passes, and does what it says."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from windtunnel.packages.building import build_package
from windtunnel.packages.unpacking import unpack_package

EXAMPLE = Path(__file__).parents[2] / "examples" / "triage"


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    built = build_package(EXAMPLE, tmp_path / "triage.agent.zip")
    assert [check.code for check in built.checks] == ["ARCHIVE_SOUND", "MANIFEST_VALID", "FILES_COMPLETE"]
    directory = tmp_path / "unpacked"
    directory.mkdir()
    with built.path.open("rb") as file:
        assert unpack_package(file, directory).name == "demo/triage"
    return directory


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", *arguments], cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_is_healthy_where_it_is_unpacked(unpacked: Path) -> None:
    assert run(unpacked, "health.py").returncode == 0


@pytest.mark.parametrize(
    ("ticket", "urgency", "team"),
    [
        ({"subject": "The shop is down", "text": "Nobody can pay."}, "high", "operations"),
        ({"text": "I was charged twice for one invoice."}, "high", "billing"),
        ({"text": "A question about your logo."}, "low", "support"),
        ({}, "normal", "support"),
    ],
)
def test_it_sorts_tickets(unpacked: Path, ticket: dict[str, str], urgency: str, team: str) -> None:
    call = f"import json; from triage.main import run; print(json.dumps(run({ticket!r})))"
    answer = json.loads(run(unpacked, "-c", call).stdout)
    assert (answer["urgency"], answer["team"]) == (urgency, team)


def test_the_digest_of_its_instructions_is_right() -> None:
    manifest = json.loads((EXAMPLE / "agent.json").read_text("utf-8"))
    instructions = (EXAMPLE / "triage" / "instructions.md").read_bytes()
    assert manifest["agents"][0]["instructionsDigest"] == sha256(instructions).hexdigest()
