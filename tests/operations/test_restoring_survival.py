"""kill -9 at every step of a rollback, on both databases: another goes on, and there is one outcome."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


async def test_wherever_a_deployer_is_killed_another_restores_the_version(database_url: str, tmp_path: Path) -> None:
    reports = await _reports(database_url, tmp_path, 1, 7 if database_url.startswith("sqlite") else 13)
    assert len(reports) >= 4
    for report in reports:
        assert "error" not in report, report
        assert report["before"] in (["RETIRED", "LIVE"], ["LIVE", "ROLLED_BACK"]), report
        assert report["end"] == ["SUCCEEDED", "LIVE", "ROLLED_BACK", None], report
        assert report["versions"] == ["LIVE", "QUARANTINED"], report
        assert report["audited"] == ["ROLLBACK_STARTED", "ROLLBACK_COMPLETED"], report
        assert report["logged"] == ["VERSION_LIVE", "VERSION_LIVE", "ROLLBACK_STARTED", "ROLLBACK_COMPLETED"], report
        assert (report["pointer"], report["live"]) == ([3, True], "LIVE"), report
        assert report["gapless"], report
    assert reports[-1]["found"] == "SUCCEEDED"  # the last one was not killed
    assert {"accepted", "completed"} < {report["step"] for report in reports}


async def _reports(url: str, directory: Path, first: int, step: int) -> list[dict[str, Any]]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.operations.dying_restoring",
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
