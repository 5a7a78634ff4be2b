"""Calibrated architectures under load: the measured numbers count, and the file that holds them can be read."""

import json
from dataclasses import replace

import pytest

from tests.examples import pipeline
from tests.telemetry.spans import called, lines, otlp
from windtunnel.domain.architectures import Architecture, canonical_json
from windtunnel.domain.errors import ValidationError
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.network_file import read_network
from windtunnel.knowledge import load_book
from windtunnel.telemetry.allowance import Allowance
from windtunnel.telemetry.calibrating import calibrated
from windtunnel.telemetry.gathering import gather
from windtunnel.telemetry.otlp_json import spans_of
from windtunnel.telemetry.places import places_of


def _calibrated() -> Architecture:
    spans = [called("erp", ms=100 + number, error="timeout" if number < 30 else None) for number in range(200)]
    drawn = replace(pipeline(), failure_modes=pipeline().failure_modes[:1])
    gathered = gather(spans_of(lines(otlp(spans)), "here", Allowance(1_000_000)), places_of(drawn))
    return calibrated(drawn, gathered, load_book(), source="here").architecture


def test_a_measured_rate_is_that_of_each_attempt() -> None:
    erp = next(place.node for place in model_of(_calibrated()).places if place.owner == "tool_erp")
    assert erp.failure_probability == pytest.approx(30 / 200, rel=1e-5)
    assert erp.service == next(tool.service for tool in _calibrated().tools if tool.key == "tool_erp")


def test_an_architecture_is_read_as_a_network() -> None:
    assert read_network(canonical_json(_calibrated())) == model_of(_calibrated())


@pytest.mark.parametrize("spoilt", [{"agents": []}, {"agents": 7}, {"entryPoints": ["nobody"]}])
def test_one_that_is_not_valid_is_refused(spoilt: dict[str, object]) -> None:
    data = json.dumps(json.loads(canonical_json(pipeline())) | spoilt)
    with pytest.raises(ValidationError, match="The architecture is not valid") as refused:
        read_network(data)
    assert refused.value.path == ("network",)
