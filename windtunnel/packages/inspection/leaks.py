"""Secrets that somebody left in a file. What is told is the kind and the line, never a part of the value."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HexHighEntropyString, HighEntropyStringsPlugin
from detect_secrets.plugins.keyword import KeywordDetector

from windtunnel.packages.codes import Code

LINE_MAX_CHARS = 4_096
"""Longer lines are looked at in pieces that overlap by OVERLAP_CHARS."""
OVERLAP_CHARS = 512
SUSPECTED_MIN_CHARS = 20
"""Shorter values that look random are mostly words."""
KEYWORD = "Secret Keyword"

_LEFT_OUT = frozenset({"Public IP (ipv4)"})  # an address is no secret
_WORDS = re.compile(r"key|pass|pwd|secret|contrase|token|credential|auth", re.IGNORECASE)
_QUOTED = re.compile(rf"""["'][A-Za-z0-9+/=_\\-]{{{SUSPECTED_MIN_CHARS},}}["']""")
_MARKED = re.compile(r"[0-9][A-Za-z0-9_.=+/-]{9,}|[A-Za-z0-9_=+/-]{20,}|://[^\s/]*@|BEGIN|eyJ|xox|AKC|AP[0-9A-F]")
_ANY = re.compile(f"{_WORDS.pattern}|{_QUOTED.pattern}|{_MARKED.pattern}", re.IGNORECASE)
"""What a line must have for the detectors of keywords, of randomness, and of known forms; most lines have nothing."""
_FORMS = re.compile(
    r"A(?:3T|BI|CC|KI|SI)A|gh[opusr]_|gl[a-z]{2,5}-|GR1348941|PRIVATE KEY|eyJ[A-Za-z0-9_-]{8}|xox[a-z]-|hooks\.slack|"
    r"sk-|[rs]k_live|SG\.|sq0csp|pypi-Ag|_authToken|AccountKey=|://[^\s/:@]{1,64}:[^\s/@]{1,128}@|-us[0-9]|:AA"
)
"""How secrets of a known form can be told from noise at once."""
_ASSIGNED = re.compile(
    r"""^\s*(?:export\s+|-\s+)?["']?[\w.-]*(?:password|passwd|pwd|secret|token|api_?key|private_?key|access_?key)"""
    r"""[\w.-]*["']?\s*[=:]\s*["']?([^\s"'#,;]{8,})""",
    re.IGNORECASE,
)
"""`NAME=value` in files of settings, where values have no quotes."""
_GIVEN = re.compile(
    r"""(?:token|credential|auth)[\w.-]*["']?\]?\s*[=:]\s*["']([A-Za-z0-9+/=_.-]{10,})["']""", re.IGNORECASE
)
"""Values that the keywords of the library leave out; what has digits and letters is no word."""
_SETTINGS = (".env", ".ini", ".cfg", ".conf", ".properties", ".toml", ".yaml", ".yml", ".txt", ".sh")
_PLACEHOLDER = re.compile(r"example|change.?me|placeholder|your[_-]|dummy|redacted|x{6,}|\*{3,}|\.\.\.", re.IGNORECASE)


class Leak(NamedTuple):
    """Something that looks like a secret: in which line, how sure it is, and of what kind."""

    line: int
    code: Code
    kind: str


def leaks_in(path: str, text: str, first: int = 1, *, thorough: bool = True) -> Iterator[Leak]:
    """What looks like a secret in a text, whose first line has the number `first`. In a line, each kind comes once.

    Not `thorough`, only for secrets of a known form is looked, which is many times faster.
    """
    number, counted, done = first, 0, -1
    for candidate in (_ANY if thorough else _FORMS).finditer(text):
        at = candidate.start()
        if at < done:
            continue
        number += text.count("\n", counted, at)
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        counted, done = at, len(text) if end < 0 else end
        told: set[str] = set()
        for piece in _pieces(text, begin, done):
            for code, kind in _found(path, piece, thorough=thorough):
                if kind not in told:
                    told.add(kind)
                    yield Leak(number, code, kind)


def _pieces(text: str, begin: int, end: int) -> Iterator[str]:
    while True:
        yield text[begin : min(end, begin + LINE_MAX_CHARS)]
        if begin + LINE_MAX_CHARS >= end:
            return
        begin += LINE_MAX_CHARS - OVERLAP_CHARS


def _found(path: str, line: str, *, thorough: bool) -> Iterator[tuple[Code, str]]:
    short = thorough and len(line) < LINE_MAX_CHARS  # long lines are data, in which much is marked
    if (_MARKED if short else _FORMS).search(line):
        for known in _detectors().known:
            if any(not _PLACEHOLDER.search(value) for value in known.analyze_string(line)):
                yield Code.SECRET_FOUND, known.secret_type
    if not thorough:
        return
    if _WORDS.search(line) and _is_assigned(path, line):
        yield Code.SECRET_FOUND, KEYWORD
    if _QUOTED.search(line):
        for each in _detectors().random:
            if any(_is_random(each, path, line, value) for value in _values(each, path, line)):
                yield Code.SECRET_SUSPECTED, each.secret_type


def _is_assigned(path: str, line: str) -> bool:
    """Whether a value is given to something that is called like a secret."""
    if any(_meant(line, value) for value in _values(_detectors().keyword, path, line)):
        return True
    given = _GIVEN.search(line)
    if given and any(char.isdigit() for char in given[1]) and _meant(line, given[1]):
        return True
    assigned = _ASSIGNED.search(line) if path.lower().endswith(_SETTINGS) else None
    return assigned is not None and _meant(line, assigned[1])


def _values(plugin: BasePlugin, path: str, line: str) -> Iterator[str]:
    for secret in plugin.analyze_line(path, line):
        if secret.secret_value:
            yield secret.secret_value


def _is_random(plugin: HighEntropyStringsPlugin, path: str, line: str, value: str) -> bool:
    if isinstance(plugin, HexHighEntropyString) and (path == "agent.json" or "sha" in line.lower()):
        return False  # hex digits there are digests
    return len(value) >= SUSPECTED_MIN_CHARS and _meant(line, value)


def _meant(line: str, value: str) -> bool:
    """Whether it stands there for itself: no reference, no place to be filled in, no name, nothing counted up."""
    return not (
        _PLACEHOLDER.search(value)
        or (value.isupper() and value.isidentifier() and not any(char.isdigit() for char in value))
        or heuristic.is_templated_secret(value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or heuristic.is_not_alphanumeric_string(value)
        or heuristic.is_sequential_string(value)
        or heuristic.is_potential_uuid(value)
        or heuristic.is_likely_id_string(value, line)
        or heuristic.is_indirect_reference(line)
    )


class _Detectors(NamedTuple):
    known: tuple[RegexBasedDetector, ...]
    keyword: KeywordDetector
    random: tuple[HighEntropyStringsPlugin, ...]


@cache
def _detectors() -> _Detectors:
    """Those of the library; none of them asks anybody whether a secret is valid."""
    found: dict[str, Any] = get_mapping_from_secret_type_to_class()
    made = [found[kind]() for kind in sorted(found) if kind not in _LEFT_OUT]
    return _Detectors(
        tuple(each for each in made if isinstance(each, RegexBasedDetector)),
        KeywordDetector(),
        tuple(each for each in made if isinstance(each, HighEntropyStringsPlugin)),
    )
