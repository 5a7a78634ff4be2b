"""JSON files that packages carry beside their manifest."""

from typing import Any

from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.reading import UnreadableError, parse_object


def read_object(path: str, data: bytes, code: Code, findings: Findings) -> dict[str, Any] | None:
    """The JSON object in a file; None when there is none that has one meaning, which is a finding with this code."""
    try:
        return parse_object(data)
    except UnreadableError as error:
        findings.add(code, str(error), path, error.line)
        return None
