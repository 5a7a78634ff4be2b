"""kill -9 at every step of deploying, on both databases: another goes on, and there is one outcome."""

from pathlib import Path

from app.claiming import LOOK_EVERY_S
from tests.operations.dying import reports
from windtunnel.domain.policy import LEASE_MS

NAMES = {"deploying", "approval", "starting", "healthy", "live"}
OTHERS_START_WITHIN_S = 15 - 4
"""Of the 15 seconds, so that some are left for what is still to be done."""


def test_a_lease_is_over_soon_and_somebody_looks() -> None:
    assert LEASE_MS / 1_000 + LOOK_EVERY_S <= OTHERS_START_WITHIN_S


async def test_at_every_named_step_a_killed_deployer_is_followed(sqlite_url: str, tmp_path: Path) -> None:
    found = await _killed(sqlite_url, tmp_path, "names")
    assert {report["step"] for report in found} == NAMES
    assert len(found) > len(NAMES)  # a program was started, too


async def test_wherever_a_deployer_is_killed_another_goes_on(database_url: str, tmp_path: Path) -> None:
    found = await _killed(database_url, tmp_path, "13")
    assert {"APPROVED", "DEPLOYING"} <= {report["found"] for report in found}


async def _killed(url: str, directory: Path, at: str) -> list[dict[str, object]]:
    """What was found each time; of all it became the same."""
    found = await reports("tests.operations.dying_deploying", url, directory, at)
    assert len(found) >= 4
    for report in found:
        assert "error" not in report, report
        assert report["audited"] == [1, 1], report
        assert report["end"] == ["LIVE", "RETIRED", 1, None], report
        assert report["versions"] == ["LIVE", "STANDBY"], report
        assert (report["pointer"], report["logged"], report["live"]) == ([2, True], 1, "LIVE"), report
        assert report["gapless"], report
    assert found[-1]["found"] == "LIVE"  # the last one was not killed
    return found
