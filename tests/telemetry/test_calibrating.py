"""Calibration: from a file of traces to an architecture with measured numbers, and back again."""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import log, sqrt
from random import Random

import pytest

from tests.examples import support_triage
from tests.simulation.networks import agent, link, mode, network, tool
from tests.telemetry.runs import about, told
from tests.telemetry.spans import asked, called, invoked, lines, otlp
from windtunnel.domain.architectures import (
    AgentRole,
    Architecture,
    Distribution,
    ResiliencePolicy,
    ServiceTime,
    TokenUse,
    architecture_from_json,
    canonical_json,
    digest_of,
)
from windtunnel.domain.calibrations import FitQuality
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureEffect, FaultUnit, Inject, likelihood_of
from windtunnel.domain.networks import validate
from windtunnel.domain.simulations import FailureInjection
from windtunnel.knowledge import load_book
from windtunnel.simulation import Run
from windtunnel.telemetry.calibrating import Calibrated, calibrated
from windtunnel.telemetry.export import Kind, exported
from windtunnel.telemetry.gathering import gather
from windtunnel.telemetry.places import places_of
from windtunnel.telemetry.reading import TracesFile
from windtunnel.telemetry.recorded import RecordedSpan

SOURCE = "traces.jsonl, sha256 0123abcd"
LOUD = FailureEffect(Inject.ERROR, FaultUnit.TOOL_CALL, 0.1, silent=False, retryable=True)


def _calibrated(architecture: Architecture, spans: Iterable[RecordedSpan]) -> Calibrated:
    return calibrated(architecture, gather(spans, places_of(architecture)), load_book(), source=SOURCE)


def _from_file(architecture: Architecture, data: bytes) -> Calibrated:
    return _calibrated(architecture, TracesFile(io.BytesIO(data), 500_000_000).spans())


def _services(architecture: Architecture) -> dict[str, ServiceTime]:
    agents = {one.key: one.service for one in architecture.agents}
    return agents | {one.key: one.service for one in architecture.tools}


def _world() -> Architecture:
    """Every shape of service time, at agents with a model, at one without, and at tools."""
    agents = [
        agent(0, tools=("t0", "t1"), service=ServiceTime(800.0, 0.5)),
        agent(1, tools=("t2",), service=ServiceTime(1_500.0, 1.0, Distribution.EXPONENTIAL)),
        agent(2, service=ServiceTime(60_000.0, 1.2), role=AgentRole.HUMAN, tokens=TokenUse()),
    ]
    tools = [tool(0), tool(1), tool(2)]
    services = [
        ServiceTime(120.0, 0.3),
        ServiceTime(40.0, 0.0, Distribution.DETERMINISTIC),
        ServiceTime(300.0, 1.0, Distribution.EXPONENTIAL),
    ]
    drawn = network(agents, [link(0, 0, 1), link(1, 1, 2)], tools=tools)
    timed = zip(drawn.tools, services, strict=True)
    return replace(drawn, tools=tuple(replace(one, service=service) for one, service in timed))


@pytest.fixture(scope="module")
def recorded() -> bytes:
    """Three hundred runs of that network in one file, as a collector appends them."""
    runs = (told(_world(), seed, FailureInjection.NONE) for seed in range(300))
    return b"".join(exported(events, about(seed)).line(Kind.TRACES) for seed, events in enumerate(runs))


def test_a_simulated_run_comes_back_with_its_own_parameters(recorded: bytes) -> None:
    world = _world()
    guess = ServiceTime(5_000.0, 3.0)
    unknown = replace(
        world,
        agents=tuple(replace(one, service=guess) for one in world.agents),
        tools=tuple(replace(one, service=guess) for one in world.tools),
    )
    found = _from_file(unknown, recorded)
    fitted = _services(found.architecture)
    for key, service in _services(world).items():
        assert fitted[key].distribution == service.distribution
        assert fitted[key].mean_ms == pytest.approx(service.mean_ms, rel=0.08)
        assert fitted[key].cv == pytest.approx(service.cv, rel=0.1, abs=1e-9)
    for each in found.architecture.calibrations:
        assert each.latency is not None
        assert each.latency.quality is FitQuality.GOOD
        assert each.latency.samples + each.latency.outliers == 900
        assert each.source == SOURCE
    assert found.tally.traces == 900
    assert not found.tally.unmatched


def test_simulating_with_what_was_fitted_gives_what_was_fitted(recorded: bytes) -> None:
    once = _from_file(_world(), recorded).architecture
    runs = [told(once, seed, FailureInjection.NONE) for seed in range(1_000, 1_120)]
    again = _from_file(
        once, b"".join(exported(run, about(number)).line(Kind.TRACES) for number, run in enumerate(runs))
    ).architecture
    for key, service in _services(again).items():
        assert service.mean_ms == pytest.approx(_services(once)[key].mean_ms, rel=0.15)
        assert service.distribution == _services(once)[key].distribution


def test_failures_of_a_simulated_run_are_counted_one_by_one() -> None:
    policy = ResiliencePolicy(max_attempts=2, backoff_ms=10)
    drawn = network(
        [agent(0, tools=("t0",), policy=policy), agent(1)], [link(0, 0, 1)], tools=[tool(0)],
        modes=[mode(1, LOUD, tool="t0")],
    )  # fmt: skip
    runs = [told(drawn, seed) for seed in range(60)]
    statuses = Counter(event.body["status"] for run in runs for event in run if event.kind is EventKind.TOOL_USED)
    data = b"".join(exported(run, about(seed)).line(Kind.TRACES) for seed, run in enumerate(runs))
    found = _from_file(drawn, data)
    rate = {each.key: each for each in found.architecture.calibrations}["t0"].failures
    assert rate is not None
    assert rate.attempts == sum(statuses.values())
    assert rate.failures == statuses["RETRIED"] + statuses["FAILED"] > 20
    (measured,) = (each for each in found.architecture.failure_modes if each.code == "code_1")
    assert measured.effect.probability == rate.probability
    assert measured.key == "mode_1"


def test_known_error_rates_lie_in_their_intervals() -> None:
    dice = Random(7)
    inside = 0
    for _ in range(100):
        spans = [called("t0", error="timeout" if dice.random() < 0.07 else None) for _ in range(200)]
        drawn = network([agent(0, tools=("t0",))], [], tools=[tool(0)])
        (each,) = _calibrated(drawn, spans).architecture.calibrations
        assert each.failures is not None
        inside += each.failures.low <= 0.07 <= each.failures.high
    assert inside >= 88


def test_errors_count_for_the_mode_they_are_a_sign_of() -> None:
    drawn = network(
        [agent(0, tools=("t0",)), agent(1, tools=("t1",))],
        [link(0, 0, 1)],
        tools=[tool(0), tool(1)],
        modes=[
            replace(mode(1, LOUD, targets=("a0", "a1")), code="tool_execution_error"),
            replace(mode(2, replace(LOUD, per=FaultUnit.MODEL_CALL)), code="llm_server_error"),
            replace(mode(3, replace(LOUD, silent=True)), code="tool_lying_result"),
        ],
    )
    tools = [called("t0") for _ in range(90)]
    tools += [called("t0", error=error) for error in ("TimeoutError", "504", "ValueError", "_OTHER", "ValueError")]
    agents = [invoked("a0", ms=1_000) for _ in range(100)]
    models = [asked(parent=each, error="429" if number < 8 else None) for number, each in enumerate(agents)]
    found = _calibrated(drawn, [*tools, *agents, *models]).architecture
    assert validate(found) == []
    modes = {each.key: each for each in found.failure_modes}
    # What is said of a1 stays a prior; its part for the tool that was measured is a mode of its own.
    assert (modes["mode_1"].targets, modes["mode_1"].provenance) == (("a1",), "prior")
    assert modes["mode_1_t0"].effect.probability == pytest.approx(3 / 95, rel=1e-4)
    assert (modes["mode_1_t0"].targets, modes["mode_1_t0"].target_tool) == (("a0",), "t0")
    assert modes["tool_api_timeout_t0"].effect.probability == pytest.approx(2 / 95, rel=1e-4)
    assert modes["tool_api_timeout_t0"].effect.inject is Inject.ERROR
    assert modes["tool_api_timeout_t0"].mitigation
    assert modes["llm_rate_limited_a0"].effect.probability == 0.08
    # It never showed: 0, with how much that says.
    assert modes["mode_2"].effect.probability == 0
    assert modes["mode_2"].provenance == (
        f"calibrated: 0 of 100 attempts failed so, 0 per call (95 % interval 0 to 0.037); {SOURCE}"
    )
    assert modes["mode_3"] == drawn.failure_modes[2]
    for each in modes.values():
        assert each.likelihood == (likelihood_of(each.probability) if "calibrated" in each.provenance else mode(
            1, LOUD).likelihood)  # fmt: skip
    assert modes["llm_rate_limited_a0"].probability == pytest.approx(1 - 0.92 ** (100 / 195), abs=1e-5)


def test_what_was_seen_too_seldom_stays_a_prior_and_is_told() -> None:
    drawn = support_triage()
    spans = [called("crm", ms=50 + number) for number in range(40)] + [called("email")] * 3
    found = _calibrated(drawn, spans)
    by_key = {each.key: each for each in found.findings}
    assert list(by_key) == list(_services(drawn))
    assert by_key["tool_crm"].calibration is not None
    assert by_key["tool_crm"].reasons == ()
    assert by_key["tool_email"].calibration is None
    assert [reason.partition(":")[0] for reason in by_key["tool_email"].reasons] == [
        "The service time stays as it was", "The failures stay as they were",
    ]  # fmt: skip
    assert by_key["triage"].reasons == ("No span of it was found.",)
    changed = {one.key for one, old in zip(found.architecture.tools, drawn.tools, strict=True) if one != old}
    assert changed == {"tool_crm"}
    assert found.architecture.agents == drawn.agents
    assert [change.partition(":")[0] for change in found.changes] == ["Crm", "Crm"]


def test_later_traces_replace_what_earlier_ones_said_of_the_same() -> None:
    drawn = support_triage()
    first = _calibrated(drawn, [called(key, ms=50 + n) for key in ("crm", "email") for n in range(40)]).architecture
    second = _calibrated(first, [called("crm", ms=500 + n) for n in range(40)]).architecture
    assert {each.key: round(each.latency.mean_ms) for each in second.calibrations if each.latency} == {
        "tool_email": 70, "tool_crm": 520,
    }  # fmt: skip
    assert len({mode.key for mode in second.failure_modes}) == len(second.failure_modes)
    assert validate(second) == []


def test_a_calibrated_architecture_is_stored_and_simulated_as_any_other(recorded: bytes) -> None:
    found = _from_file(_world(), recorded).architecture
    assert architecture_from_json(canonical_json(found)) == found
    assert b'"calibrations"' not in canonical_json(_world()), "or every digest would have changed"
    assert digest_of(found) != digest_of(_world())
    assert digest_of(found) == digest_of(_from_file(_world(), recorded).architecture)
    run = Run(found, 1, failures=FailureInjection.AUTO)
    run.advance(100_000)
    assert run.over


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lines({"resourceMetrics": []}), "The traces hold no span."),
        (lines(otlp([invoked("Bob"), called("lookup")])), "None of the 2 spans is of an agent or tool"),
        (lines(otlp([called("t0")] * 3)), "2 spans were matched|1 spans were matched"),
    ],
)
def test_traces_that_say_nothing_are_refused_with_why(data: bytes, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        _from_file(_world(), data)
    assert (refused.value.rule, refused.value.path) == ("nothing_fitted", ("traces",))


def test_a_lognormal_in_spans_of_others_is_found_behind_wrong_clocks_and_outliers() -> None:
    dice, sigma = Random(11), sqrt(log(1 + 0.6**2))
    spans = [called("t0", ms=dice.lognormvariate(log(200) - sigma * sigma / 2, sigma)) for _ in range(1_500)]
    spans += [called("t0", ms=-30), called("t0", ms=1e9), called("t0", ms=2e9), called("t0", ms=0)]
    drawn = network([agent(0, tools=("t0",))], [], tools=[tool(0)])
    found = _calibrated(drawn, spans)
    (service,) = (one.service for one in found.architecture.tools)
    assert service.distribution is Distribution.LOGNORMAL
    assert service.mean_ms == pytest.approx(200, rel=0.04)
    assert service.cv == pytest.approx(0.6, rel=0.06)
    assert (found.tally.negative, found.tally.zero) == (1, 1)
