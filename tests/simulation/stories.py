"""Small helpers to run a network and look at what it told."""

from collections.abc import Sequence

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventDraft, EventKind
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run


def rest(run: Run, chunk: int = 1_000_000) -> list[EventDraft]:
    """Everything that a run tells from here on."""
    drafts: list[EventDraft] = []
    while not run.over:
        drafts += run.advance(chunk)
    return drafts


def story(architecture: Architecture, *asked: FailureMode, seed: int = 1) -> list[EventDraft]:
    """What a run tells that meets only the failures asked for."""
    return rest(Run(architecture, seed, failures=FailureInjection.ONLY_LISTED, injected=asked))


def of(drafts: Sequence[EventDraft], *kinds: EventKind) -> list[EventDraft]:
    """The drafts of some kinds."""
    return [draft for draft in drafts if draft.kind in kinds]


def outcomes(drafts: Sequence[EventDraft]) -> list[str]:
    """How failures ended, in order."""
    ends = of(drafts, EventKind.FAILURE_EVENT, EventKind.RECOVERY)
    return [draft.body["outcome"] for draft in ends if draft.body["outcome"] is not None]


def visits(drafts: Sequence[EventDraft], task: str) -> list[str | None]:
    """The agents that began on a task, in order."""
    return [draft.agent_key for draft in of(drafts, EventKind.AGENT_START) if draft.body["task"] == task]


def statuses(drafts: Sequence[EventDraft], tool: str) -> list[str]:
    """How the calls to a tool went, in order."""
    return [draft.body["status"] for draft in of(drafts, EventKind.TOOL_USED) if draft.body["tool_key"] == tool]
