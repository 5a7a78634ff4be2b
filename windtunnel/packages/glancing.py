"""A glance at a package that nobody has checked yet: what it says of the data that its agent works with."""

from typing import BinaryIO

from windtunnel.domain.policy import PACKAGE_MANIFEST_MAX_BYTES
from windtunnel.packages.archive import read_archive
from windtunnel.packages.contents import DamagedError, unpacked
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.reading import UnreadableError, parse_object

CLASSIFICATIONS = frozenset({"public", "internal", "confidential", "restricted"})


def classification_in(file: BinaryIO) -> str | None:
    """The classification in the manifest of the package in a seekable file; None when it does not tell.

    Only the manifest is unpacked. Raises OSError alone.
    """
    entry = read_archive(file, Findings()).entry(MANIFEST_PATH)
    if entry is None or entry.size > PACKAGE_MANIFEST_MAX_BYTES:
        return None
    try:
        manifest = parse_object(b"".join(unpacked(file, entry)))
    except (DamagedError, UnreadableError):
        return None
    data = manifest.get("data")
    found = data.get("classification") if isinstance(data, dict) else None
    return found if isinstance(found, str) and found in CLASSIFICATIONS else None
