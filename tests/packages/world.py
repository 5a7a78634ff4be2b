"""A small package that is all right, and what the check says of any."""

import copy
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from typing import Any

from tests.packages.archives import Part, archive
from windtunnel.packages.checking import CheckedPackage, check_package

FILES = {"health.py": b"print('well')\n", "triage/main.py": b"def run(input: dict) -> dict:\n    return input\n"}
DIGEST = "0" * 64

MANIFEST: dict[str, Any] = {
    "schemaVersion": "1",
    "name": "acme/triage",
    "version": "1.0.0",
    "title": "Ticket triage",
    "description": "Sorts incoming tickets by urgency.",
    "owners": ["dev@acme.test"],
    "entrypoint": {"kind": "python-module", "ref": "triage.main:run", "args": []},
    "runtime": {"python": ">=3.11", "lockfile": None, "hashes": False},
    "models": [{"provider": "offline", "id": "offline-1", "pinned": True, "purpose": "triage"}],
    "agents": [{"id": "triage", "role": "WORKER", "instructionsDigest": DIGEST, "handoffs": []}],
    "tools": [{"id": "lookup", "kind": "function", "ref": "triage.main:run", "sideEffects": "none", "scopes": []}],
    "data": {
        "classification": "internal",
        "stores": [
            {
                "resource": "tickets",
                "sensitivity": "INTERNAL",
                "access": "READ",
                "justification": "Reads tickets to sort them.",
            }
        ],
        "personalData": False,
        "purposes": ["support"],
        "retentionDays": 30,
    },
    "permissions": {"network": [], "filesystem": [], "secrets": [], "subprocess": False},
    "limits": {"memoryMiB": 128, "cpuSeconds": 30, "wallSeconds": 60, "maxTurns": 10, "budgetUsd": 1},
    "health": {"kind": "command", "command": ["python", "health.py"], "timeoutS": 10},
    "evidence": [],
    "_meta": {},
}


def listed(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {path: {"sha256": sha256(content).hexdigest(), "size": len(content)} for path, content in files.items()}


def manifest(files: Mapping[str, bytes] = FILES, /, **changes: Any) -> dict[str, Any]:
    """The manifest; `changes` replace values at its top, None takes one away."""
    whole = copy.deepcopy(MANIFEST) | {"files": listed(files)} | changes
    return {key: value for key, value in whole.items() if value is not None}


def parts(files: Mapping[str, bytes] = FILES, /, **changes: Any) -> list[Part]:
    """The entries of the package."""
    first = Part("agent.json", json.dumps(manifest(files, **changes)).encode())
    return [first, *(Part(path, content) for path, content in files.items())]


def package(files: Mapping[str, bytes] = FILES, /, **changes: Any) -> bytes:
    """The package."""
    return archive(parts(files, **changes))


def checked(data: bytes, namespace: str | None = None) -> CheckedPackage:
    return check_package(BytesIO(data), namespace=namespace)


def faults(found: CheckedPackage) -> list[str]:
    """The codes of what is wrong."""
    return [check.code for check in found.checks if not check.passed]


def codes(data: bytes) -> list[str]:
    return faults(checked(data))


def with_entries(*more: Part) -> bytes:
    """The package with entries that its manifest does not list."""
    return archive([*parts(), *more])


def raw(manifest_bytes: bytes, files: Mapping[str, bytes] = FILES) -> bytes:
    """A package with these bytes for a manifest."""
    return archive([Part("agent.json", manifest_bytes), *(Part(path, content) for path, content in files.items())])


def details(found: CheckedPackage, code: str) -> Sequence[str | None]:
    return [check.detail for check in found.checks if check.code == code]
