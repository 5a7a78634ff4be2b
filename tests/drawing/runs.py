"""Runs to draw."""

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventDraft
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation.run import Run


def events_of(architecture: Architecture, seed: int = 1) -> list[EventDraft]:
    """Everything that happens in one told run."""
    run = Run(architecture, seed, failures=FailureInjection.AUTO)
    drafts: list[EventDraft] = []
    while not run.over:
        drafts += run.advance(50)
    return drafts
