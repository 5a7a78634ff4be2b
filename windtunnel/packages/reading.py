"""Reading `agent.json` as somebody has written it: every mistake becomes a finding that says where and what."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from pydantic import ValidationError

from windtunnel.domain.packages import is_name, is_version
from windtunnel.domain.policy import PACKAGE_MANIFEST_MAX_BYTES, PACKAGE_MANIFEST_MAX_VALUES
from windtunnel.packages.codes import Code
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.paths import shown

_FORMS = {
    "name": "It is `namespace/slug`, both of lower-case letters, digits and hyphens; the namespace is the tenant's.",
    "version": "It is an exact version by Semantic Versioning, like `1.4.0`.",
    "sha256": "It is a SHA-256 in 64 lower-case hex digits.",
    "digest": "It is a SHA-256 in 64 lower-case hex digits.",
    "instructionsDigest": "It is a SHA-256 in 64 lower-case hex digits.",
    "owners": "It is an e-mail address.",
    "network": "It is `host:port`.",
    "secrets": "It is the name of a secret in production's configuration, like `MAIL_PASSWORD`, never its value.",
    "_meta": "Its keys are reverse-DNS names, like `org.example.team`.",
}
"""What to say of a text that has the wrong form, by the key under which it stands."""


class UnreadableError(Exception):
    """It is no JSON object that has one meaning; the message is one sentence."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_manifest(data: bytes, findings: Findings) -> Manifest | None:
    """The manifest; None when it cannot be used, with the reasons in `findings`."""
    try:
        parse_object(data)
        return Manifest.model_validate_json(data)
    except UnreadableError as error:
        findings.add(Code.MANIFEST_UNREADABLE, str(error), MANIFEST_PATH, error.line)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            findings.add(Code.MANIFEST_INVALID, _sentence(problem), MANIFEST_PATH)
    return None


def identity_of(data: bytes) -> tuple[str | None, str | None]:
    """Name and version, each None when the manifest does not tell it: whatever else is wrong with it."""
    try:
        found = parse_object(data)
    except UnreadableError:
        return None, None
    name, version = found.get("name"), found.get("version")
    return (
        name if isinstance(name, str) and is_name(name) else None,
        version if isinstance(version, str) and is_version(version) else None,
    )


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object. Raises UnreadableError also for what different readers would read differently."""
    if len(data) > PACKAGE_MANIFEST_MAX_BYTES:
        raise UnreadableError(f"It has {len(data):,} bytes; {PACKAGE_MANIFEST_MAX_BYTES:,} are allowed.")
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > PACKAGE_MANIFEST_MAX_VALUES:
        raise UnreadableError(f"It has more than {PACKAGE_MANIFEST_MAX_VALUES:,} values.")
    try:
        found = json.loads(
            data.decode(), object_pairs_hook=_each_key_once, parse_float=_finite, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        raise UnreadableError(f"It is not UTF-8: byte {error.start + 1} cannot be read.") from None
    except json.JSONDecodeError as error:
        raise UnreadableError(f"It is not JSON: {error.msg.lower()}.", error.lineno) from None
    except RecursionError:
        raise UnreadableError("Its values are nested too deeply.") from None
    except ValueError:  # of numbers with thousands of digits
        raise UnreadableError("It has a number that is too long.") from None
    if not isinstance(found, dict):
        raise UnreadableError("It is not a JSON object.")
    if not all(_storable(text) for text in _texts(found)):
        raise UnreadableError("It has characters that cannot be stored: NUL, or half of a surrogate pair.")
    return found


def _each_key_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UnreadableError(f"The key {shown(key)!r} is there twice.")
        found[key] = value
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every key and every text in a JSON value."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _storable(text: str) -> bool:
    """False for NUL and for halves of surrogate pairs."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise UnreadableError("It has a number that is too large.")
    return value


def _no_number(word: str) -> NoReturn:
    raise UnreadableError(f"{word} is no number in JSON.")


def _sentence(problem: Any) -> str:
    location = [str(part) for part in problem["loc"] if part != "[key]"]
    where = shown(".".join(location)) or "agent.json"
    keys = [part for part in location if not part.isdecimal()]
    if problem["type"] == "extra_forbidden":
        return f"{where}: There is no such key; `_meta` is the place for more."
    if problem["type"] == "missing":
        return f"{where}: It is missing."
    if problem["type"] == "string_pattern_mismatch":
        form = _FORMS.get(keys[-1] if keys else "") or _FORMS.get(keys[0] if keys else "")
        return f"{where}: {form or 'It has characters that may not be there, or nothing but blanks.'}"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
