"""Directories to build packages of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.packages.world import FILES, MANIFEST


def directory(at: Path, files: Mapping[str, bytes] = FILES, /, **changes: Any) -> Path:
    """A directory with these files and a manifest that does not know them."""
    at.mkdir(parents=True, exist_ok=True)
    write(at, files)
    (at / "agent.json").write_text(json.dumps(MANIFEST | changes), "utf-8")
    return at


def write(at: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_bytes(content)
