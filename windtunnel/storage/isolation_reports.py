"""What was seen of an environment's isolation, as JSON."""

from dataclasses import asdict
from datetime import datetime

import orjson

from windtunnel.domain.environments import IsolationReport
from windtunnel.domain.isolation import IsolationLevel, Probe, ProbeOutcome, ProbeResult


def report_to_json(report: IsolationReport) -> str:
    """As `report_from_json` reads it."""
    return orjson.dumps(asdict(report), option=orjson.OPT_SORT_KEYS).decode()


def report_from_json(text: str) -> IsolationReport:
    """The reverse of `report_to_json`."""
    kept = orjson.loads(text)
    return IsolationReport(
        level=IsolationLevel(kept["level"]),
        minimum=IsolationLevel(kept["minimum"]),
        verified_at=datetime.fromisoformat(kept["verified_at"]),
        probes=tuple(
            ProbeResult(Probe(each["probe"]), ProbeOutcome(each["outcome"]), each["detail"]) for each in kept["probes"]
        ),
        details=kept["details"],
        not_enforced=tuple(kept["not_enforced"]),
    )
