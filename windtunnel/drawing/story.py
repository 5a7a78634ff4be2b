"""What a run's events tell, put together: steps with their tool calls, failures from strike to end, work handed on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from windtunnel.domain.events import EventDraft, EventKind, SimulationEvent, StepStatus
from windtunnel.domain.failures import FailureOutcome, Severity

Event = EventDraft | SimulationEvent

_BADNESS = {None: 0, FailureOutcome.RECOVERED: 1, FailureOutcome.DEGRADED: 2, FailureOutcome.UNRECOVERED: 3}


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; times are simulated milliseconds since the start, as everywhere here."""

    tool_key: str
    start_ms: float
    end_ms: float
    status: StepStatus
    message: str


@dataclass(slots=True)
class Step:
    """One agent at work on one task. `status` is STARTED for a step that never ended."""

    agent_key: str
    task: str
    start_ms: float
    end_ms: float
    status: StepStatus = StepStatus.STARTED
    message: str = ""
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True)
class Strike:
    """A failure that happened: where it struck, and how it ended if it did."""

    failure_key: str
    code: str
    severity: Severity
    agent_key: str
    at_ms: float
    message: str
    outcome: FailureOutcome | None = None
    ended_ms: float | None = None
    ended_by: str | None = None
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """Work handed from one agent to another."""

    source: str
    target: str
    task: str
    at_ms: float
    message: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that a picture of a run shows."""

    steps: Sequence[Step]
    strikes: Sequence[Strike]
    flows: Sequence[Flow]
    end_ms: float

    def busy(self, places: dict[str, int]) -> dict[str, float]:
        """The share of time (0 to 1) that each agent worked; `places` says on how many tasks it can work at once."""
        worked = dict.fromkeys(places, 0.0)
        for step in self.steps:
            if step.agent_key in worked:
                worked[step.agent_key] += step.end_ms - step.start_ms
        return {key: min(ms / (self.end_ms * places[key]), 1.0) if self.end_ms else 0.0 for key, ms in worked.items()}

    def worst(self) -> dict[str, FailureOutcome]:
        """How the worst failure that struck each agent ended; agents that none struck are left out."""
        worst: dict[str, FailureOutcome] = {}
        for strike in self.strikes:
            outcome = strike.outcome or FailureOutcome.UNRECOVERED
            if _BADNESS[outcome] > _BADNESS[worst.get(strike.agent_key)]:
                worst[strike.agent_key] = outcome
        return worst

    def outcome_of(self, failure_key: str) -> FailureOutcome | None:
        """How a failure mode ended at worst; None when it did not strike or is still open."""
        ended = [strike.outcome for strike in self.strikes if strike.failure_key == failure_key]
        return max(ended, key=_BADNESS.__getitem__, default=None)


def story_of(events: Sequence[Event]) -> Story:
    """Put the events of a run together, of one that was cut short too."""
    end_ms = max((event.elapsed_ms for event in events), default=0.0)
    steps: list[Step] = []
    working: dict[tuple[str, str], list[Step]] = {}
    strikes: dict[str, Strike] = {}
    flows: list[Flow] = []
    for event in events:
        agent = event.agent_key or ""
        if event.kind is EventKind.AGENT_START:
            step = Step(agent, event.body["task"], event.elapsed_ms, end_ms, message=event.message)
            steps.append(step)
            working.setdefault((agent, step.task), []).append(step)
        elif event.kind is EventKind.AGENT_END:
            _end(event, working.get((agent, event.body["task"]), []))
        elif event.kind is EventKind.TOOL_USED:
            _call(event, [step for (key, _), mine in working.items() if key == agent for step in mine])
        elif event.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY}:
            _strike(event, strikes)
        elif event.kind is EventKind.DATA_FLOW:
            task = _text(event.body["payload"], "task")
            flow = Flow(event.body["source_key"], event.body["target_key"], task, event.elapsed_ms, event.message)
            flows.append(flow)
    return Story(steps, list(strikes.values()), flows, end_ms)


def _end(event: Event, working: list[Step]) -> None:
    if working:
        step = working.pop(0)
        step.end_ms = event.elapsed_ms
        step.status = StepStatus(event.body["status"])
        step.message = event.message


def _call(event: Event, working: Sequence[Step]) -> None:
    """A call is told when it ends; it belongs to the step whose task it names, else to the latest one."""
    task = _text(event.body["input"], "task")
    step = next((step for step in working if step.task == task), working[-1] if working else None)
    if step is not None:
        start = max(event.elapsed_ms - float(event.body["latency_ms"]), step.start_ms)
        status = StepStatus(event.body["status"])
        step.calls.append(Call(event.body["tool_key"], start, event.elapsed_ms, status, event.message))


def _strike(event: Event, strikes: dict[str, Strike]) -> None:
    key = event.body["failure_key"]
    occurrence = _text(event.body["detail"], "occurrence") or key
    outcome = FailureOutcome(event.body["outcome"]) if event.body["outcome"] else None
    strike = strikes.get(occurrence)
    if strike is None:
        strike = strikes[occurrence] = Strike(
            key,
            event.body["code"],
            Severity(event.body["severity"]),
            event.agent_key or "",
            event.elapsed_ms,
            event.message,
        )
    if outcome is not None:
        strike.outcome, strike.ended_ms = outcome, event.elapsed_ms
        strike.ended_by, strike.ending = event.agent_key, event.message


def _text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
