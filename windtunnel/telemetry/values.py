"""Plain values as OTLP's attribute values, and simulated time as nanoseconds since 1970."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from windtunnel import __version__
from windtunnel.simulation import semconv
from windtunnel.telemetry.conventions import Profile

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
SERVICE = "windtunnel-simulation"


@dataclass(frozen=True, slots=True)
class About:
    """What the data of a run says of it: its public id, its seed, and the moment at which simulated time is 0."""

    simulation_id: str
    seed: int
    started_at: datetime
    profile: Profile = Profile.V1_41

    def nanoseconds(self, elapsed_ms: float) -> int:
        """A simulated time, exact to the microsecond, as nanoseconds since 1970."""
        return ((self.started_at - _DAWN) // timedelta(microseconds=1) + round(elapsed_ms * 1_000)) * 1_000


def resource(about: About) -> Resource:
    """Who reports: a simulation, and nothing that ever ran."""
    return Resource(
        attributes=attributes(
            {
                "service.name": SERVICE,
                "service.version": __version__,
                semconv.SIMULATED: True,
                semconv.SEED: about.seed,
                semconv.SIMULATION_ID: about.simulation_id,
                semconv.STARTED_AT: about.started_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            }
        )
    )


def scope() -> InstrumentationScope:
    """What wrote the data."""
    return InstrumentationScope(name="windtunnel", version=__version__)


def attributes(values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[KeyValue]:
    """Attributes in the order given; None is left out."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return [KeyValue(key=key, value=any_value(value)) for key, value in pairs if value is not None]


def any_value(value: Any) -> AnyValue:
    """A JSON value as an attribute value."""
    found = AnyValue()
    match value:
        case None:
            pass
        case bool():
            found.bool_value = value
        case int() if -(2**63) <= value < 2**63:
            found.int_value = value
        case int() | float():
            found.double_value = float(value)
        case list() | tuple():
            found.array_value.CopyFrom(ArrayValue(values=[any_value(each) for each in value]))
        case dict():
            found.kvlist_value.CopyFrom(KeyValueList(values=attributes(value)))
        case _:
            found.string_value = str(value)
    return found
