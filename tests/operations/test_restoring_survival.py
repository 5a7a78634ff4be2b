"""kill -9 at every step of a rollback, on both databases: another goes on, and there is one outcome."""

from pathlib import Path

from tests.operations.dying import reports

NAMES = {"verifying", "starting", "switching", "completed"}


async def test_at_every_named_step_a_killed_deployer_is_followed(sqlite_url: str, tmp_path: Path) -> None:
    found = await _killed(sqlite_url, tmp_path, "names")
    assert {report["step"] for report in found} == NAMES
    assert len(found) > len(NAMES)  # a program was started, too


async def test_wherever_a_deployer_is_killed_another_restores_the_version(database_url: str, tmp_path: Path) -> None:
    found = await _killed(database_url, tmp_path, "13")
    assert {"accepted", "completed"} < {report["step"] for report in found}


async def _killed(url: str, directory: Path, at: str) -> list[dict[str, object]]:
    """What was found each time; of all it became the same."""
    found = await reports("tests.operations.dying_restoring", url, directory, at)
    assert len(found) >= 4
    for report in found:
        assert "error" not in report, report
        assert report["before"] in (["RETIRED", "LIVE"], ["LIVE", "ROLLED_BACK"]), report
        assert report["end"] == ["SUCCEEDED", "LIVE", "ROLLED_BACK", None], report
        assert report["versions"] == ["LIVE", "QUARANTINED"], report
        assert report["audited"] == ["ROLLBACK_STARTED", "ROLLBACK_COMPLETED"], report
        assert report["logged"] == ["VERSION_LIVE", "VERSION_LIVE", "ROLLBACK_STARTED", "ROLLBACK_COMPLETED"], report
        assert (report["pointer"], report["live"]) == ([3, True], "LIVE"), report
        assert report["gapless"], report
    assert found[-1]["found"] == "SUCCEEDED"  # the last one was not killed
    return found
