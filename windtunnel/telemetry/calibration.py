"""The whole way of a calibration: traces from a stream, an architecture with what they show, and the citation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from windtunnel.domain.architectures import Architecture
from windtunnel.knowledge import load_book
from windtunnel.telemetry.calibrating import Calibrated, calibrated
from windtunnel.telemetry.gathering import gather
from windtunnel.telemetry.places import places_of
from windtunnel.telemetry.reading import TracesFile


def calibration_of(
    architecture: Architecture,
    stream: BinaryIO,
    largest: int,
    *,
    name: str = "traces",
    matches: Mapping[str, str] | None = None,
) -> Calibrated:
    """Read at most `largest` bytes of OTLP and take over what they show; `name` is what to call them.

    Takes about a second for 50,000 spans: not for an event loop. Raises ValidationError, with the place and the rule.
    """
    file = TracesFile(stream, largest)
    gathered = gather(file.spans(), places_of(architecture, matches))
    gathered.tally.cut_off = int(file.cut_off)
    first, last = gathered.tally.first_ns, gathered.tally.last_ns
    days = sorted({_day(each) for each in (first, last) if 0 < each < 4 * 10**18})
    when = f" of {' to '.join(days)}" if days else ""
    source = f"{gathered.tally.matched} spans{when} in {name}, sha256 {file.digest[:16]}"
    return calibrated(architecture, gathered, load_book(), source=source)


def _day(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).date().isoformat()
