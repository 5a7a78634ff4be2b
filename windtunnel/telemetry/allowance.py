"""How much there may be in recorded traces: what takes two bytes in a file takes hundreds in memory, and time."""

from windtunnel.domain.errors import ValidationError

TOO_LARGE = "otlp_too_large"
SPAN_BYTES = 256
"""Spans take about as much. What was packed can hold more of them only if their ids are no ids: those do not pack."""
PART_BYTES = 16
"""Nor does any part of one, an attribute or an event."""


class Allowance:
    """Counts what was read; `largest` bytes hold no more of it than is allowed, when they say anything."""

    def __init__(self, largest: int) -> None:
        self._most = self._left = max(1_000, largest // SPAN_BYTES)
        self._most_parts = self._parts_left = max(10_000, largest // PART_BYTES)

    def take(self) -> None:
        """One more line, resource, scope or span. Raises ValidationError (`otlp_too_large`) when there are too many."""
        self._left -= 1
        if self._left < 0:
            raise _too_many(self._most, "spans, lines, resources and scopes")

    def take_parts(self, count: int) -> None:
        """So many more attributes and events. Raises ValidationError (`otlp_too_large`) when there are too many."""
        self._parts_left -= count
        if self._parts_left < 0:
            raise _too_many(self._most_parts, "attributes and events")


def _too_many(most: int, what: str) -> ValidationError:
    return ValidationError(f"The traces have more than {most} {what}.", rule=TOO_LARGE, path=("traces",))
