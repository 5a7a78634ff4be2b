"""What came of a calibration, as data and as sentences."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from windtunnel.telemetry.calibrating import Calibrated

NAMES_MAX = 20
_MEANINGS = {
    "left_out": "were left out, because there are too many",
    "cut_off": "line at the end is not written to its end, and was left out",
    "duplicates": "came twice and were counted once",
    "unfinished": "have no beginning or no end and were left out",
    "negative": "end before they begin and gave no duration",
    "zero": "took no time and gave no duration",
    "too_long": "took more than a year and gave no duration",
    "skewed": "have parts outside of themselves, as when clocks differ, and gave no duration",
    "failed": "failed: they count as failures and gave no duration",
    "retried": "needed several attempts: all were counted, and they gave no duration",
}


def as_data(found: Calibrated) -> dict[str, Any]:
    """One JSON object, with names as in GraphQL."""
    return {
        "findings": [
            {
                "key": each.key,
                "name": each.name,
                "durations": each.durations,
                "attempts": each.attempts,
                "errors": dict(islice(each.errors.items(), NAMES_MAX)),
                "latency": _plain(each.calibration.latency) if each.calibration else None,
                "failures": _plain(each.calibration.failures) if each.calibration else None,
                "reasons": list(each.reasons),
            }
            for each in found.findings
        ],
        "spans": {_camel(name): getattr(found.tally, name) for name in ("read", "matched", "traces", *_MEANINGS)}
        | {"unmatched": dict(found.tally.unmatched.most_common(NAMES_MAX))},
        "changes": list(found.changes),
    }


def remarks(found: Calibrated) -> Iterator[str]:
    """What a person should know of the spans before believing the numbers."""
    tally = found.tally
    yield f"{tally.read} spans of {tally.traces} traces were read; {tally.matched} are of this architecture."
    for name, meaning in _MEANINGS.items():
        if count := getattr(tally, name):
            yield f"{count} {meaning}."
    if tally.unmatched:
        shown = ", ".join(f"{name!r} ({count})" for name, count in tally.unmatched.most_common(NAMES_MAX))
        yield f"Not of this architecture: {shown}. A name can be matched to a key."
    for each in found.findings:
        yield from (f"{each.name}: {reason}" for reason in each.reasons)


def _plain(fit: Any) -> dict[str, Any] | None:
    return None if fit is None else {_camel(name): value for name, value in asdict(fit).items()}


def _camel(word: str) -> str:
    head, *tail = word.split("_")
    return head + "".join(part.capitalize() for part in tail)
