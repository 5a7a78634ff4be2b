"""What was observed of agents and tools, and what the spans were that say so."""

from array import array
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observed:
    """What was seen of one agent or tool: durations of what went well at once, attempts, and errors by type."""

    durations_ms: "array[float]" = field(default_factory=lambda: array("d"))
    attempts: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """What the spans were, so that nobody takes a part for the whole.

    `read` counts all; `matched` those of an agent or tool of the architecture, `unmatched` those of others, by name.
    Without a duration to use were: `unfinished`, `negative` and `zero` ones, those of more than a year (`too_long`),
    those whose parts lie outside of them (`skewed`), those that `failed` and those that were `retried`.
    Not seen were those `left_out` because there are too many, and those of a last line that was `cut_off`.
    """

    read: int = 0
    matched: int = 0
    duplicates: int = 0
    unfinished: int = 0
    negative: int = 0
    zero: int = 0
    too_long: int = 0
    skewed: int = 0
    failed: int = 0
    retried: int = 0
    left_out: int = 0
    cut_off: int = 0
    traces: int = 0
    first_ns: int = 0
    last_ns: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that was observed, by key of agent or tool."""

    observed: dict[str, Observed]
    tally: Tally
