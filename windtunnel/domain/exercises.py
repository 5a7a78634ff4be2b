"""An exercise: a package's own code, run in the sandbox of an environment before a simulation of it begins."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.confinement import Limit
from windtunnel.domain.events import EventDraft, EventKind, LogLevel, Signal


class CallKind(StrEnum):
    """What of a package is tried."""

    HEALTH = "health"
    CARD = "card"
    ENTRY_POINT = "entrypoint"
    TOOL = "tool"


class CallResult(StrEnum):
    """What came of it.

    - OK: it did what it is for.
    - UNHEALTHY: the health command says so, by its exit status.
    - NOT_FOUND, RAISED, BAD_OUTPUT, CRASHED: the function gave no answer, for this reason.
    - LIMIT_EXCEEDED: it broke a limit, and was ended.
    - NOT_RUN: it needs what is not there in a sandbox, as a network or a model.
    """

    OK = "OK"
    UNHEALTHY = "UNHEALTHY"
    NOT_FOUND = "NOT_FOUND"
    RAISED = "RAISED"
    BAD_OUTPUT = "BAD_OUTPUT"
    CRASHED = "CRASHED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOT_RUN = "NOT_RUN"


@dataclass(frozen=True, slots=True)
class Call:
    """One try. `name` is that of a tool, else empty; `message` says what happened, unless all went well."""

    kind: CallKind
    name: str
    result: CallResult
    message: str = ""
    limit: Limit | None = None
    output_digest: str | None = None
    cpu_ms: int = 0

    @property
    def what(self) -> str:
        """What was tried, for people."""
        words = {
            CallKind.HEALTH: "the health command",
            CallKind.CARD: "the agent card",
            CallKind.ENTRY_POINT: "the entry point",
        }
        return words.get(self.kind) or f"the tool {self.name}"


@dataclass(frozen=True, slots=True)
class Exercise:
    """All tries in order; none of them, and `reason` says why, where no code was run."""

    calls: tuple[Call, ...] = ()
    reason: str | None = None

    @property
    def breach(self) -> Call | None:
        """The try that broke a limit, which was the last one."""
        return next((call for call in self.calls if call.limit is not None), None)

    @property
    def cpu_ms(self) -> int:
        """The CPU time of all tries."""
        return sum(call.cpu_ms for call in self.calls)


def drafts_of(exercise: Exercise) -> list[EventDraft]:
    """The exercise as log records, which say nothing that depends on clock or machine."""
    if exercise.reason is not None:
        return [_draft(exercise.reason, LogLevel.WARN, "package.code", {"result": CallResult.NOT_RUN.value})]
    return [_call_draft(call) for call in exercise.calls]


def _call_draft(call: Call) -> EventDraft:
    attributes = {"result": call.result.value}
    if call.name:
        attributes["tool"] = call.name
    if call.limit is not None:
        attributes["limit"] = call.limit.value
    if call.message:
        attributes["message"] = call.message
    what = f"{call.what[0].upper()}{call.what[1:]} of the package"
    if call.result is CallResult.OK:
        return _draft(f"{what} works.", LogLevel.INFO, f"package.{call.kind.value}", attributes)
    if call.result is CallResult.NOT_RUN:
        return _draft(f"{what} was not tried. {call.message}", LogLevel.INFO, f"package.{call.kind.value}", attributes)
    level = LogLevel.ERROR if call.limit is not None else LogLevel.WARN
    return _draft(f"{what} does not work. {call.message}".rstrip(), level, f"package.{call.kind.value}", attributes)


def _draft(message: str, level: LogLevel, name: str, attributes: dict[str, str]) -> EventDraft:
    body = {"signal": Signal.LOG.value, "level": level.value, "name": name, "value": None, "attributes": attributes}
    return EventDraft(EventKind.OBSERVABILITY, message, body)
