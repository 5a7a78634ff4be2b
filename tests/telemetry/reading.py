"""Reads decoded OTLP the way a backend does."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def plain(value: AnyValue) -> Any:
    """An attribute value as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return None if kind is None else getattr(value, kind)


def read(attributes: Sequence[KeyValue]) -> dict[str, Any]:
    """Attributes by name; a name twice is an error."""
    found = {each.key: plain(each.value) for each in attributes}
    assert len(found) == len(attributes)
    return found


def operation(span: Span) -> str:
    """What the span says it is."""
    return str(read(span.attributes)["gen_ai.operation.name"])
