"""The lock file: every dependency pinned to one version and to the digests of its files, from the chosen index."""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings

LOCK_MAX_BYTES = 4 * 1024 * 1024

_HASH = re.compile(r"\s--hash[=\s]([a-z0-9]+):([0-9a-fA-F]+)")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def check_lock(path: str, text: str, findings: Findings) -> frozenset[str]:
    """The names (as PEP 503 compares them) that a requirements file locks; what is wrong with it is a finding."""
    names: set[str] = set()
    for number, line in _logical_lines(text):
        if line.startswith("-"):
            option = line.split("=")[0].split()[0]
            findings.add(Code.LOCK_ELSEWHERE, f"It has the option {option[:40]}.", path, number)
            continue
        bare = _HASH.split(line)[0].strip()
        try:
            wanted = Requirement(bare)
        except InvalidRequirement:
            elsewhere = "://" in bare or bare.startswith((".", "/", "git+"))
            what = "is a file or an address" if elsewhere else "is no requirement"
            findings.add(Code.LOCK_ELSEWHERE if elsewhere else Code.LOCK_UNREADABLE, f"The entry {what}.", path, number)
            continue
        name = canonicalize_name(wanted.name)
        if wanted.url:
            findings.add(Code.LOCK_ELSEWHERE, f"{name} comes from an address of its own.", path, number)
            continue
        pins = list(wanted.specifier)
        if len(pins) != 1 or pins[0].operator not in {"==", "==="} or pins[0].version.endswith(".*"):
            findings.add(Code.LOCK_UNPINNED, f"{name} is not pinned to one version.", path, number)
        if not any(_DIGITS.get(kind) == len(digits) for kind, digits in _HASH.findall(line)):
            findings.add(Code.LOCK_UNHASHED, f"{name} has no digest of a file.", path, number)
        if name in names and wanted.marker is None:
            findings.add(Code.LOCK_DUPLICATE, f"{name} is there more than once.", path, number)
        names.add(name)
    return frozenset(names)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end with a backslash put together, each with its first number."""
    waiting, begun = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).rstrip()
        begun = begun or number
        waiting += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if waiting.strip():
            yield begun, waiting.strip()
        waiting, begun = "", 0
    if waiting.strip():
        yield begun, waiting.strip()
