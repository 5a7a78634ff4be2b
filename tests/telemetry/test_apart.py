"""Calibration in a process of its own: the same answer, the same refusals, and an end in any case."""

import pytest

from tests.examples import pipeline
from tests.telemetry.spans import called, lines, otlp
from windtunnel.domain.errors import UnavailableError, ValidationError
from windtunnel.telemetry import apart
from windtunnel.telemetry.apart import calibrated_apart

TRACES = lines(otlp([called("lookup", ms=10 + number) for number in range(30)]))


async def test_it_answers_and_refuses_as_it_would_here() -> None:
    found = await calibrated_apart(pipeline(), TRACES, 1_000_000, matches={"lookup": "tool_erp"})
    assert [each.key for each in found.architecture.calibrations] == ["tool_erp"]
    assert found.tally.matched == 30
    with pytest.raises(ValidationError, match="more than 100 bytes") as refused:
        await calibrated_apart(pipeline(), TRACES, 100)
    assert (refused.value.rule, refused.value.path) == ("otlp_too_large", ("traces",))


async def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "WALL_S", 0.0)
    with pytest.raises(UnavailableError, match="could not be read in time"):
        await calibrated_apart(pipeline(), TRACES, 1_000_000)
