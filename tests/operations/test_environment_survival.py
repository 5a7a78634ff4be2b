"""kill -9 at every step of making an environment and of taking it away, on both databases."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("share", range(4))
async def test_wherever_a_caretaker_is_killed_another_goes_on_and_nothing_is_left(
    database_url: str, tmp_path: Path, share: int
) -> None:
    step = 4 if database_url.startswith("sqlite") else 12
    reports = await _reports(database_url, tmp_path / "environments", 1 + share * (step // 4), step)
    assert len(reports) >= 4
    for report in reports:
        assert "error" not in report, report
        assert report["became"] in {"READY", "DELETED"}, report
        assert (report["end"], report["left"], report["reaped"], report["slots"], report["due"]) == (
            "DELETED",
            [],
            0,
            0,
            0,
        ), report
        assert report["gapless"], report
    assert reports[-1]["found"] == "DELETED"  # the last one was not killed
    assert {"PROVISIONING", "DELETING"} <= {report["found"] for report in reports}


async def _reports(url: str, directory: Path, first: int, step: int) -> list[dict[str, Any]]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.operations.dying",
        url,
        str(directory),
        str(first),
        str(step),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]
