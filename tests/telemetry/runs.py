"""Told runs for tests of their telemetry."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.simulation.networks import agent, link, mode, network, tool
from tests.simulation.stories import of, rest, story
from windtunnel.domain.architectures import Architecture, ResiliencePolicy
from windtunnel.domain.events import EventDraft, EventKind, SimulationEvent
from windtunnel.domain.failures import FailureEffect, FaultUnit, Inject
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run
from windtunnel.telemetry.conventions import Profile
from windtunnel.telemetry.values import About

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def about(seed: int = 1, profile: Profile = Profile.V1_41) -> About:
    """What the telemetry says of the run."""
    return About("sim_1", seed, START, profile)


def stored(drafts: Sequence[EventDraft]) -> list[SimulationEvent]:
    """The events as a server stores them."""
    return [
        SimulationEvent(
            simulation_id="s",
            seq=number,
            kind=draft.kind,
            at=START + timedelta(seconds=number),
            elapsed_ms=draft.elapsed_ms,
            agent_key=draft.agent_key,
            message=draft.message,
            body=draft.body,
        )
        for number, draft in enumerate(drafts, start=1)
    ]


def told(
    architecture: Architecture, seed: int = 1, failures: FailureInjection = FailureInjection.AUTO
) -> list[SimulationEvent]:
    """A whole run."""
    return stored(rest(Run(architecture, seed, failures=failures)))


def failing(unit: FaultUnit = FaultUnit.TOOL_CALL) -> list[SimulationEvent]:
    """A run in which a tool (or a model) fails once and for all at its first call, after two retries."""
    agents = [agent(0, tools=("t0",), policy=ResiliencePolicy(max_attempts=3, backoff_ms=50)), agent(1)]
    architecture = network(agents, [link(0, 0, 1)], tools=[tool(0)])
    error = mode(1, FailureEffect(Inject.ERROR, unit, 0.1, silent=False, retryable=True))
    for seed in range(100):
        drafts = story(architecture, error, seed=seed)
        if any(draft.body["outcome"] == "UNRECOVERED" for draft in of(drafts, EventKind.FAILURE_EVENT)):
            return stored(drafts)
    pytest.fail("no seed outlived the retries")
