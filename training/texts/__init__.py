"""The labelled texts, one JSON object per line; a row of the part `test` is never trained or tuned on."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AUTHORS = ("first", "voices", "work", "trades")
"""The files, each by another author or from another time."""


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file; none when it is not there."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()] if path.exists() else []


def texts(split: str) -> list[dict[str, Any]]:
    """The rows of a part, `train` or `test`, each with its `author`."""
    return [
        row | {"author": author}
        for author in AUTHORS
        for row in rows_of(HERE / f"{author}.jsonl")
        if row["split"] == split
    ]
