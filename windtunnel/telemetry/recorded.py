"""A recorded span: the little of it that calibration needs, whatever encoding it came in."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from windtunnel.simulation import semconv

OPERATIONS = (semconv.INVOKE_WORKFLOW, semconv.INVOKE_AGENT, semconv.EXECUTE_TOOL, semconv.CHAT)
_MODEL_CALLS = frozenset({semconv.CHAT, "generate_content", "text_completion"})
_SPAN_IS_BAD = 2
OTHER = "_OTHER"
"""The convention's word for an error that has no name."""


class RecordedSpan(NamedTuple):
    """A span as read. `error` is its error type when it failed; `retried` are those of the attempts before the last.

    Ids are in the form of the file, which is good for comparing. Times are nanoseconds since 1970, 0 when missing.
    `operation` is one of OPERATIONS, or "" when the span says nothing of the kind.
    """

    trace: str | bytes
    span: str | bytes
    parent: str | bytes
    name: str
    operation: str
    agent_id: str
    agent_name: str
    tool: str
    start_ns: int
    end_ns: int
    error: str | None
    retried: tuple[str, ...]


def recorded(
    *,
    ids: tuple[str | bytes, str | bytes, str | bytes],
    name: str,
    times: tuple[int, int],
    attributes: Mapping[str, Any],
    status: int,
    events: Iterable[tuple[str, Mapping[str, Any]]],
) -> RecordedSpan:
    """A span from its parts; `events` are its events' names and attributes, `status` is OTLP's status code."""
    error = attributes.get(semconv.ERROR_TYPE)
    failed = status == _SPAN_IS_BAD or bool(error)
    return RecordedSpan(
        *ids,
        name,
        _operation(attributes.get(semconv.OPERATION_NAME), name),
        _text(attributes.get(semconv.AGENT_ID)),
        _text(attributes.get(semconv.AGENT_NAME)),
        _text(attributes.get(semconv.TOOL_NAME)),
        *times,
        (_text(error) or OTHER) if failed else None,
        tuple(_text(told.get(semconv.ERROR_TYPE)) or OTHER for event, told in events if _is_retry(event)),
    )


def _is_retry(event: str) -> bool:
    return event.rpartition(".")[2].lower().startswith(semconv.RETRY)


def _operation(said: Any, name: str) -> str:
    """What the span is: by the convention's attribute, else by the convention's span name."""
    word = said if isinstance(said, str) and said else name.partition(" ")[0]
    if word in _MODEL_CALLS:
        return semconv.CHAT
    return word if word in OPERATIONS else ""


def _text(value: Any) -> str:
    return str(value)[:200] if isinstance(value, str | int) else ""
