"""kill -9 at every step of making an environment and of taking it away, on both databases."""

from pathlib import Path

import pytest

from tests.operations.dying import reports


@pytest.mark.parametrize("share", range(4))
async def test_wherever_a_caretaker_is_killed_another_goes_on_and_nothing_is_left(
    database_url: str, tmp_path: Path, share: int
) -> None:
    step = 4 if database_url.startswith("sqlite") else 12
    how = (str(1 + share * (step // 4)), str(step))
    found = await reports("tests.operations.dying", database_url, tmp_path / "environments", *how)
    assert len(found) >= 4
    for report in found:
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
    assert found[-1]["found"] == "DELETED"  # the last one was not killed
    assert {"PROVISIONING", "DELETING"} <= {report["found"] for report in found}
