"""`agent.json`: what it must say, how each value is bounded, and what is said about a mistake."""

import json
from typing import Any

import pytest

from tests.packages.archives import archive
from tests.packages.world import (
    DIGEST,
    FILES,
    MANIFEST,
    checked,
    codes,
    details,
    faults,
    manifest,
    package,
    parts,
    raw,
)
from windtunnel.domain.packages import Classification
from windtunnel.packages.codes import Code
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.reading import identity_of, read_manifest
from windtunnel.packages.references import highest_classification

OPTIONAL = {"models", "agents", "tools", "evidence", "_meta", "runtime", "limits"}


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The manifest with one value replaced."""
    whole = manifest()
    inner: Any = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return whole


def problems(whole: dict[str, Any]) -> list[str]:
    findings = Findings()
    read_manifest(json.dumps(whole).encode(), findings)
    return [check.detail or "" for check in findings.checks]


def test_the_example_of_the_format_is_read() -> None:
    findings = Findings()
    found = read_manifest(json.dumps(manifest()).encode(), findings)
    assert findings.checks == ()
    assert found
    assert (found.name, found.namespace, found.slug, found.version) == ("acme/triage", "acme", "triage", "1.0.0")
    assert found.limits
    assert found.limits.memory_mib == 128
    assert found.files["health.py"].size == len(FILES["health.py"])
    assert json.loads(found.model_dump_json(by_alias=True)) == manifest()


@pytest.mark.parametrize("key", [key for key in [*MANIFEST, "files"] if key not in OPTIONAL])
def test_what_must_be_there(key: str) -> None:
    assert problems(manifest(**{key: None})) == [f"{key}: It is missing."]


def test_what_may_be_left_out() -> None:
    assert problems(manifest(**dict.fromkeys(OPTIONAL))) == []


def test_what_nobody_knows_is_refused() -> None:
    assert problems(manifest(extra=1)) == ["extra: There is no such key; `_meta` is the place for more."]
    assert problems(changed("permissions", "netwrok", to=[]))[0].startswith("permissions.netwrok: There is no such key")
    assert problems(manifest(_meta={"org.example.team": {"any": [1, None]}, "org.example/x": 1})) == []
    assert problems(manifest(_meta={"team": 1})) == [
        "_meta.team: Its keys are reverse-DNS names, like `org.example.team`."
    ]
    assert problems(manifest(_meta={"a.b": "x" * 65_536}))[0].startswith("_meta: All of it together")


REFUSED: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("schemaVersion",), ["2", 1, None]),
    (("name",), ["triage", "acme/", "/triage", "Acme/triage", "acme/tri_age", "a/b/c", "acme/-x", "x" * 64 + "/y", 1]),
    (("version",), ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", ">=1.0.0", "latest", "1.0.0 ", 1.0]),
    (("title",), ["", " ", "a\nb", "x" * 201, "\u0007"]),
    (("description",), ["", "\n", "x" * 2_001]),
    (("owners",), [[], ["dev"], ["dev@acme.test"] * 2, ["a@b", "A@B"], ["dev @acme.test"], "dev@acme.test"]),
    (("entrypoint", "kind"), ["python", "PYTHON-MODULE"]),
    (("entrypoint", "ref"), ["", "triage.main", "triage/main.py:run", "triage.main:run()", ":run", "a:b:c", "1a:b"]),
    (("entrypoint", "args"), ["x", [1], ["x" * 1_001]]),
    (("runtime", "python"), ["3.x", "", "python3"]),
    (("runtime", "lockfile"), ["../lock", "/lock", "agent.json", ""]),
    (("runtime", "hashes"), [True, "no"]),
    (("models", 0, "pinned"), ["true", 1, None]),
    (("models", 0, "id"), [""]),
    (("agents", 0, "role"), ["worker", "BOSS"]),
    (("agents", 0, "instructionsDigest"), ["0" * 63, "A" * 64, "sha256:" + DIGEST]),
    (("agents", 0, "handoffs"), [["nobody"]]),
    (("agents",), [MANIFEST["agents"] * 2]),
    (("tools", 0, "kind"), ["python"]),
    (("tools", 0, "sideEffects"), ["some", "NONE"]),
    (("tools", 0, "ref"), ["triage"]),
    (("tools",), [MANIFEST["tools"] * 2]),
    (("data", "classification"), ["secret", "INTERNAL"]),
    (("data", "personalData"), ["no", 0]),
    (("data", "retentionDays"), [-1, 36_501, 1.5, "30", True]),
    (("data", "stores", 0, "sensitivity"), ["internal"]),
    (("data", "stores", 0, "access"), ["ALL"]),
    (("data", "stores", 0, "justification"), ["", " "]),
    (("permissions", "network"), [["example.org"], ["example.org:0"], ["example.org:65536"], ["*:443"], ["a b:1"]]),
    (("permissions", "secrets"), [["mail password"], ["p4$$w0rd!"], ["1st"], ["x" * 201], [""]]),
    (("permissions", "subprocess"), ["false"]),
    (("limits", "memoryMiB"), [15, 65_537, 1.5]),
    (("limits", "cpuSeconds"), [0, -1, 86_401]),
    (("limits", "maxTurns"), [0, 10_001]),
    (("limits", "budgetUsd"), [-0.01]),
    (("health", "kind"), ["http"]),
    (("health", "command"), [[], "python health.py"]),
    (("health", "timeoutS"), [0, 301, "10"]),
    (("evidence",), [[{"kind": "hearsay", "runId": "1", "digest": DIGEST}]]),
    (("files", "health.py", "sha256"), ["", "0" * 65]),
    (("files", "health.py", "size"), [-1, 1.5, "3"]),
    (("files", "../x"), [{"sha256": DIGEST, "size": 0}]),
    (("files", "agent.json"), [{"sha256": DIGEST, "size": 0}]),
    (("files", "a\\b"), [{"sha256": DIGEST, "size": 0}]),
]


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in REFUSED for value in values], ids=repr)
def test_what_a_value_may_not_be(path: tuple[str | int, ...], value: Any) -> None:
    found = problems(changed(*path, to=value))
    assert len(found) >= 1
    assert all(": " in each and str(path[0]) in each for each in found)


TAKEN: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("name",), ["a/b", "x" * 63 + "/" + "y" * 63, "0-1/2-3"]),
    (("version",), ["0.0.0", "1.2.3-rc.1+build.5", "1.0.0-alpha", "1.0.0--", "1.0.0-0a", "10.20.30+001"]),
    (("description",), ["Two\nlines\tand a tab.", "Ümlaute 🧾"]),
    (("entrypoint",), [{"kind": "command", "ref": "bin/run"}, {"kind": "a2a-remote", "ref": "https://a.test/x"}]),
    (("runtime",), [{}, {"python": "~=3.12"}]),
    (("permissions",), [{}]),
    (("permissions", "network"), [["api.example.org:443", "[::1]:8080", "10.0.0.1:1"]]),
    (("permissions", "secrets"), [["MAIL_PASSWORD", "mail.password", "A"]]),
    (("limits",), [{}, {"cpuSeconds": 0.5}]),
    (("health", "timeoutS"), [0.5, 300]),
]


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in TAKEN for value in values], ids=repr)
def test_what_a_value_may_be(path: tuple[str | int, ...], value: Any) -> None:
    assert problems(changed(*path, to=value)) == []


def test_an_address_is_an_https_address() -> None:
    assert problems(changed("entrypoint", to={"kind": "a2a-remote", "ref": "http://a.test"})) == [
        "entrypoint: `ref` is the https address of the remote agent here."
    ]


def test_a_mistake_is_told_without_its_value() -> None:
    secret = "p4$$w0rd-4242"
    for whole in (
        changed("permissions", "secrets", to=[secret]),
        changed("title", to=secret + "\n"),
        changed("data", "retentionDays", to=secret),
        changed("name", to=secret),
    ):
        assert problems(whole)
        assert secret not in " ".join(problems(whole))


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "It is not JSON: expecting value."),
    "text": (b"name: triage", "It is not JSON"),
    "list": (b"[]", "It is not a JSON object."),
    "key twice": (b'{"name": "a/b", "name": "c/d"}', "The key 'name' is there twice."),
    "key twice inside": (b'{"_meta": {"a.b": {"x": 1, "x": 2}}}', "The key 'x' is there twice."),
    "latin-1": ('{"title": "Größe"}'.encode("latin-1"), "It is not UTF-8: byte 14 cannot be read."),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', "It is not JSON"),
    "nan": (b'{"a": NaN}', "NaN is no number in JSON."),
    "infinity": (b'{"a": -Infinity}', "-Infinity is no number in JSON."),
    "overflow": (b'{"a": 1e999}', "It has a number that is too large."),
    "digits": (b'{"a": ' + b"9" * 5_000 + b"}", "It has a number that is too long."),
    "nul": (b'{"_meta": {"a.b": ["\\u0000"]}}', "It has characters that cannot be stored"),
    "surrogate": (b'{"_meta": {"a.b": "\\ud800"}}', "It has characters that cannot be stored"),
    "surrogate in a key": (b'{"\\udfff": 1}', "It has characters that cannot be stored"),
    "depth": (b"[" * 15_000 + b"]" * 15_000, "Its values are nested too deeply."),
    "values": (b"[" + b"0," * 20_000 + b"0]", "It has more than 20,000 values."),
    "size": (b'{"a": "' + b"x" * 2_097_152 + b'"}', "It has 2,097,161 bytes; 2,097,152 are allowed."),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_has_no_single_meaning_is_unreadable(name: str) -> None:
    data, sentence = UNREADABLE[name]
    findings = Findings()
    assert read_manifest(data, findings) is None
    (check,) = findings.checks
    assert (check.code, check.path, check.blocks) == (Code.MANIFEST_UNREADABLE, MANIFEST_PATH, True)
    assert check.detail
    assert check.detail.startswith(sentence)
    assert identity_of(data) == (None, None)


def test_a_syntax_error_has_its_line() -> None:
    findings = Findings()
    read_manifest(b'{\n  "name": "a/b",\n  version: 1\n}', findings)
    assert [check.line for check in findings.checks] == [3]


def test_name_and_version_are_known_of_a_manifest_that_is_wrong() -> None:
    assert identity_of(b'{"name": "acme/triage", "version": "1.0.0", "else": 1}') == ("acme/triage", "1.0.0")
    assert identity_of(b'{"name": "Acme", "version": "1.0.0"}') == (None, "1.0.0")
    assert identity_of(b'{"name": 1, "version": "1"}') == (None, None)


def test_the_manifest_is_there_and_comes_first() -> None:
    first, *others = parts()
    assert codes(archive(others)) == [Code.MANIFEST_MISSING]
    assert codes(archive([*others, first])) == [Code.ARCHIVE_NOT_CANONICAL, Code.MANIFEST_NOT_FIRST]


def test_the_files_are_those_of_the_manifest() -> None:
    more = FILES | {"notes.md": b"notes"}
    unlisted = package(more, files=manifest()["files"])
    assert [(check.code, check.path) for check in checked(unlisted).checks if check.blocks] == [
        (Code.FILE_UNLISTED, "notes.md")
    ]
    missing = package(files=manifest(more)["files"])
    assert [(check.code, check.path) for check in checked(missing).checks if check.blocks] == [
        (Code.FILE_MISSING, "notes.md")
    ]
    for other in (FILES | {"health.py": b"print('WELL')\n"}, FILES | {"health.py": b""}):
        found = checked(package(other, files=manifest()["files"]))
        assert [(check.code, check.path) for check in found.checks if check.blocks] == [
            (Code.FILE_DIFFERENT, "health.py")
        ]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("entrypoint", "ref"), "triage.other:run", "entrypoint.ref: There is no triage/other.py in the package."),
        (("tools", 0, "ref"), "lookup:run", "tools.0.ref: There is no lookup.py in the package."),
        (("runtime", "lockfile"), "pylock.toml", "runtime.lockfile: There is no pylock.toml in the package."),
        (("health", "command"), ["python3", "well.py"], "health.command: There is no well.py in the package."),
    ],
)
def test_what_is_referred_to_is_in_the_package(path: tuple[str | int, ...], value: Any, said: str) -> None:
    whole = changed(*path, to=value)
    found = checked(raw(json.dumps(whole).encode()))
    assert faults(found) == [Code.REFERENCE_MISSING]
    assert details(found, Code.REFERENCE_MISSING) == [said]


def test_a_package_may_be_a_directory_with_an_init() -> None:
    files = {"health.py": b"", "triage/main/__init__.py": b""}
    assert codes(package(files)) == []


def test_the_namespace_is_the_tenants() -> None:
    assert checked(package(), "acme").passed
    found = checked(package(), "globex")
    assert faults(found) == [Code.NAMESPACE_FOREIGN]
    assert not found.passed


def test_data_is_as_sensitive_as_its_most_sensitive_store() -> None:
    whole = changed("data", "stores", 0, "sensitivity", to="RESTRICTED")
    found = checked(raw(json.dumps(whole).encode()))
    assert faults(found) == [Code.CLASSIFICATION_UNDERSTATED]
    assert found.passed
    assert found.manifest
    assert highest_classification(found.manifest) is Classification.RESTRICTED
    calm = Manifest.model_validate_json(json.dumps(manifest()))
    assert highest_classification(calm) is Classification.INTERNAL
