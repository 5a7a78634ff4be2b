"""From recorded spans to what was observed of each agent's own work and of each tool."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from windtunnel.simulation import semconv
from windtunnel.telemetry.observed import Gathered, Observed, Tally
from windtunnel.telemetry.places import Places
from windtunnel.telemetry.recorded import RecordedSpan

SPANS_MAX = 400_000
"""So many spans of agents, tools and models are looked at; more are counted and left out."""
_LINKS_MAX = 1_000_000
_UNMATCHED_NAMES_MAX = 1_000
_STEPS_UP_MAX = 64
_LONGEST_NS = 365 * 86_400 * 10**9
_SKEW_NS = 1_000_000

_Id = tuple[str | bytes, str | bytes]


@dataclass(slots=True)
class _Invocation:
    """An agent at work: when, and what it did meanwhile that is not its own work."""

    key: str
    span: RecordedSpan
    elsewhere: list[tuple[int, int]] = field(default_factory=list)
    calls: int = 0
    call_errors: list[str] = field(default_factory=list)
    part_failed: bool = False


def gather(spans: Iterable[RecordedSpan], places: Places) -> Gathered:
    """Look at each span once; what is kept of one is bounded, and so is their number."""
    looking = _Looking(places)
    for span in spans:
        looking.take(span)
    return looking.result()


class _Looking:
    """Spans come in any order: parts are put to their agents when all have come."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._tally = Tally()
        self._observed: dict[str, Observed] = {}
        self._seen: set[_Id] = set()
        self._traces: set[str | bytes] = set()
        self._parents: dict[_Id, str | bytes] = {}
        self._agents: dict[_Id, _Invocation] = {}
        self._parts: list[RecordedSpan] = []
        self._lone_calls: dict[str, list[RecordedSpan]] = {}

    def take(self, span: RecordedSpan) -> None:
        tally = self._tally
        tally.read += 1
        tool = self._places.tool_of(span)
        agent = None if tool or span.operation == semconv.CHAT else self._places.agent_of(span)
        if tool is None and agent is None and span.operation == "":
            self._link(span)
            return
        if not self._admit(span):
            return
        self._link(span)
        if tool is not None:
            tally.matched += 1
            self._observe(tool, span)
            self._parts.append(span._replace(operation=semconv.EXECUTE_TOOL))
        elif agent is not None:
            tally.matched += 1
            self._agents[span.trace, span.span] = _Invocation(agent, span)
        else:
            if span.operation in {semconv.EXECUTE_TOOL, semconv.INVOKE_AGENT}:
                self._unmatched(span.name)
            self._parts.append(span)

    def result(self) -> Gathered:
        for span in self._parts:
            self._put(span, self._agent_over(span))
        for one in self._agents.values():
            over = self._agent_over(one.span)
            if over is not None:
                self._put(one.span._replace(operation=semconv.INVOKE_AGENT), over)
        for one in self._agents.values():
            self._conclude(one)
        for key, calls in self._lone_calls.items():
            if key not in self._observed:  # nobody told of the agent's invocations, only of its model's
                for call in calls:
                    self._tally.matched += 1
                    self._observe(key, call)
        self._tally.traces = len(self._traces)
        return Gathered(self._observed, self._tally)

    def _admit(self, span: RecordedSpan) -> bool:
        """Whether a span counts: whole, new, and one of not too many."""
        tally = self._tally
        if len(self._seen) >= SPANS_MAX:
            tally.left_out += 1
            return False
        if (span.trace, span.span) in self._seen:
            tally.duplicates += 1
            return False
        self._seen.add((span.trace, span.span))
        self._traces.add(span.trace)
        if not span.start_ns or not span.end_ns:
            tally.unfinished += 1
            return False
        tally.first_ns = min(tally.first_ns or span.start_ns, span.start_ns)
        tally.last_ns = max(tally.last_ns, span.end_ns)
        return True

    def _link(self, span: RecordedSpan) -> None:
        """Remember what a span is part of: between an agent and its tool there may be spans of neither."""
        if span.parent and len(self._parents) < _LINKS_MAX:
            self._parents[span.trace, span.span] = span.parent

    def _unmatched(self, name: str) -> None:
        counted = self._tally.unmatched
        counted[name[:200] if len(counted) < _UNMATCHED_NAMES_MAX or name in counted else "others"] += 1

    def _observe(self, key: str, span: RecordedSpan) -> None:
        """A tool call, or the call of a model that nobody's invocation is known for."""
        found = self._observed.setdefault(key, Observed())
        found.attempts += 1 + len(span.retried)
        found.errors.update(span.retried)
        if span.error is not None:
            found.errors[span.error] += 1
        duration = self._duration(span)
        if duration is None:
            return
        if span.error is not None:
            self._tally.failed += 1
        elif span.retried:
            self._tally.retried += 1
        else:
            found.durations_ms.append(duration)

    def _duration(self, span: RecordedSpan) -> float | None:
        """Milliseconds; None when it cannot be one."""
        length = span.end_ns - span.start_ns
        if 0 < length <= _LONGEST_NS:
            return length / 1e6
        if length == 0:
            self._tally.zero += 1
        elif length < 0:
            self._tally.negative += 1
        else:
            self._tally.too_long += 1
        return None

    def _agent_over(self, span: RecordedSpan) -> _Invocation | None:
        """The nearest agent that a span is part of."""
        at: str | bytes | None = span.parent
        for _ in range(_STEPS_UP_MAX):
            if not at:
                return None
            if (found := self._agents.get((span.trace, at))) is not None:
                return found
            at = self._parents.get((span.trace, at))
        return None

    def _put(self, span: RecordedSpan, over: _Invocation | None) -> None:
        """A part to its agent: calls of the model are its own work, everything else is time spent elsewhere."""
        if span.operation == semconv.CHAT:
            if over is None:
                if (key := self._places.agent_of(span)) is not None:
                    self._lone_calls.setdefault(key, []).append(span)
                return
            over.calls += 1 + len(span.retried)
            over.call_errors += [*span.retried, *([span.error] if span.error is not None else [])]
        elif over is not None:
            over.elsewhere.append((span.start_ns, span.end_ns))
            over.part_failed = over.part_failed or span.error is not None

    def _conclude(self, one: _Invocation) -> None:
        """What an invocation says of the agent's own work: its duration without what it spent elsewhere."""
        span, tally = one.span, self._tally
        found = self._observed.setdefault(one.key, Observed())
        found.attempts += one.calls or 1 + len(span.retried)
        found.errors.update(one.call_errors)
        if not one.calls:
            found.errors.update(span.retried)
            if span.error is not None and not one.part_failed:
                found.errors[span.error] += 1
        duration = self._duration(span)
        if duration is None:
            return
        if span.error is not None:
            tally.failed += 1
        elif span.retried or one.call_errors:
            tally.retried += 1
        elif any(start < span.start_ns - _SKEW_NS or end > span.end_ns + _SKEW_NS for start, end in one.elsewhere):
            tally.skewed += 1
        else:
            own = duration - sum(end - start for start, end in _union(one.elsewhere, span.start_ns, span.end_ns)) / 1e6
            if own > 1e-6:
                found.durations_ms.append(own)
            else:
                tally.zero += 1


def _union(parts: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches between start and end that any of the parts covers."""
    at = start
    for begins, ends in sorted(parts):
        if min(ends, end) > max(begins, at):
            yield max(begins, at), min(ends, end)
            at = min(ends, end)
