"""A glance at a package that nobody has checked yet: what it says of itself."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from windtunnel.domain.policy import PACKAGE_MANIFEST_MAX_BYTES
from windtunnel.packages.archive import read_archive
from windtunnel.packages.contents import DamagedError, unpacked
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.reading import UnreadableError, parse_object

CLASSIFICATIONS = frozenset({"public", "internal", "confidential", "restricted"})


def manifest_in(file: BinaryIO) -> Mapping[str, Any]:
    """The JSON object of the manifest of the package in a seekable file, whatever is in it; empty without one.

    Nothing else is unpacked. Raises OSError alone.
    """
    entry = read_archive(file, Findings()).entry(MANIFEST_PATH)
    if entry is None or entry.size > PACKAGE_MANIFEST_MAX_BYTES:
        return {}
    try:
        return parse_object(b"".join(unpacked(file, entry)))
    except (DamagedError, UnreadableError):
        return {}


def classification_in(file: BinaryIO) -> str | None:
    """How sensitive the data of the agent is; None when the package does not tell. Raises OSError alone."""
    data = manifest_in(file).get("data")
    found = data.get("classification") if isinstance(data, dict) else None
    return found if isinstance(found, str) and found in CLASSIFICATIONS else None
