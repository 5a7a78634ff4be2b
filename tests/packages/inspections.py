"""Packages that are looked into, and what is said of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.operations.world import INSPECTOR
from tests.packages.archives import STORED, archive
from tests.packages.world import FILES, parts
from windtunnel.packages.checking import CheckedPackage


async def inspected(directory: Path, data: bytes, namespace: str | None = None) -> CheckedPackage:
    path = directory / "looked-into.agent.zip"
    path.write_bytes(data)
    with path.open("rb") as file:
        return await INSPECTOR.inspect(file, namespace=namespace)


def with_files(files: Mapping[str, bytes | str], /, **changes: Any) -> bytes:
    """The package with these files besides, all of them listed, and none compressed."""
    more = {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}
    first, *others = parts(dict(sorted({**FILES, **more}.items())), **changes)
    return archive([first, *(replace(part, method=STORED) for part in others)])


def places(found: CheckedPackage) -> list[tuple[str, str | None, int | None]]:
    """What is wrong, and where."""
    return [(check.code, check.path, check.line) for check in found.checks if not check.passed]


def right(found: CheckedPackage) -> set[str]:
    return {check.code for check in found.checks if check.passed}
