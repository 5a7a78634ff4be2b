"""The bill of materials that a package may carry: CycloneDX, valid in every word, with all that the lock file has."""

from collections.abc import Collection
from typing import Any

from packaging.utils import canonicalize_name

from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.inspection.objects import read_object

BOM_PATH = "sbom.cdx.json"
BOM_MAX_BYTES = 2 * 1024 * 1024

_PLACES = 4
"""How much of the way to what is wrong is told."""


def check_bom(data: bytes, locked: Collection[str], findings: Findings) -> None:
    """Add what is wrong with it; `locked` are the names in the lock file."""
    found = read_object(BOM_PATH, data, Code.SBOM_INVALID, findings)
    if found is None:
        return
    version = found.get("specVersion")
    if found.get("bomFormat") != "CycloneDX" or version not in {"1.6", "1.7"}:
        findings.add(Code.SBOM_INVALID, "It is not CycloneDX 1.6 or 1.7.", BOM_PATH)
        return
    if (where := _fault(data.decode(), version)) is not None:
        findings.add(Code.SBOM_INVALID, f"It does not fit the schema of CycloneDX {version} at {where}.", BOM_PATH)
        return
    listed = _names(found)
    for name in sorted(set(locked) - listed):
        findings.add(Code.SBOM_INCOMPLETE, f"It does not list {name}, which is locked.", BOM_PATH)


def _fault(text: str, version: str) -> str | None:
    """Where it does not fit the schema; never what stands there."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(text)
    if error is None:
        return None
    place = ".".join(str(part) for part in list(error.data.absolute_path)[:_PLACES])
    return place or "its top"


def _names(found: dict[str, Any]) -> set[str]:
    """Of all components, nested ones included, as PEP 503 compares them."""
    names: set[str] = set()
    waiting = [found]
    while waiting:
        each = waiting.pop()
        components = each.get("components", [])
        names |= {canonicalize_name(component["name"]) for component in components}
        waiting += components
    return names
