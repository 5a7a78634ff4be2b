"""How hot a node runs under load: five grounds from cool to glowing, and the words beside them."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from windtunnel.drawing.words import duration, share

LEVELS = (0.5, 0.7, 0.85, 0.95)
"""From which utilisation on a node is shown one step hotter."""
LEVEL_WORDS = ("below 50 % busy", "50 to 70 %", "70 to 85 %", "85 to 95 %", "95 % and more")


@dataclass(frozen=True, slots=True)
class Heat:
    """An agent or tool under load: how busy its places are (0 to 1), how long work waits, what share of attempts fails.

    `lost` is the success lost when it is down, 0 to 1 (None: not measured).
    """

    load: float
    wait_ms: float = 0.0
    failed: float = 0.0
    lost: float | None = None
    is_bottleneck: bool = False

    @property
    def level(self) -> int:
        """0 (cool) to 4 (glowing)."""
        return bisect_right(LEVELS, self.load)

    @property
    def words(self) -> str:
        """`83 % busy · 5 % fail`."""
        failing = f" · {share(self.failed)} fail" if self.failed else ""
        return f"{_percent(self.load)} busy{failing}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything, for a tooltip."""
        return (
            f"Busy {share(self.load)} of the time",
            f"Work waits {duration(self.wait_ms)} on average",
            f"{share(self.failed)} of the attempts fail",
            "" if self.lost is None else f"When it is down, {share(self.lost)} of the tasks are lost",
            "The bottleneck" if self.is_bottleneck else "",
        )


Heats = Mapping[str, Heat]
"""By agent or tool key."""


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %" if value == 0 or value >= 0.005 else "< 1 %"
