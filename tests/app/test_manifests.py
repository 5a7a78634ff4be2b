"""Manifests of trusted documents, in the forms that clients' builds write."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.graphql.trusted import hash_of
from app.manifests import load_manifest
from app.settings import SettingsError

HELLO = "{ hello }"
HASH = hash_of(HELLO)


def written(tmp_path: Path, manifest: Any) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), "utf-8")
    return path


def apollos(**operation: Any) -> dict[str, Any]:
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation]}


@pytest.mark.parametrize(
    ("manifest", "documents"),
    [
        ({}, {}),
        ({HASH: HELLO}, {HASH: HELLO}),
        ({f"sha256:{HASH}": HELLO}, {f"sha256:{HASH}": HELLO}),
        ({"9d2e0a4c5b6f7081920a3b4c5d6e7f80": HELLO}, {"9d2e0a4c5b6f7081920a3b4c5d6e7f80": HELLO}),  # Relay
        (apollos(id=HASH, body=HELLO, name="Hello", type="query"), {HASH: HELLO}),
        (apollos(id="hello-1", body=HELLO, name="Hello", type="query"), {"hello-1": HELLO}),
    ],
)
def test_a_manifest_is_read(tmp_path: Path, manifest: Any, documents: dict[str, str]) -> None:
    assert load_manifest(written(tmp_path, manifest)) == documents


def test_without_one_there_are_no_documents() -> None:
    assert load_manifest(None) == {}


@pytest.mark.parametrize(
    "manifest",
    [
        "not JSON",
        [],
        [[HASH, HELLO]],
        {HASH: 5},
        {HASH: ""},
        {HASH: "{ another }"},
        {f"sha256:{HASH}": "{ another }"},
        apollos(id=HASH, body="{ another }"),
        apollos(id=HASH),
        apollos(id=5, body=HELLO),
        {**apollos(id=HASH, body=HELLO), "operations": 5},
        {**apollos(id=HASH, body=HELLO), "operations": ["x"]},
        "[" * 100_000,
    ],
)
def test_a_bad_manifest_is_one_sentence(tmp_path: Path, manifest: Any) -> None:
    path = written(tmp_path, manifest)
    with pytest.raises(SettingsError) as refused:
        load_manifest(path)
    sentence = str(refused.value)
    assert sentence.startswith(f"WINDTUNNEL_DOCUMENT_MANIFEST={str(path)!r} is refused: ")
    assert "\n" not in sentence


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WINDTUNNEL_DOCUMENT_MANIFEST"):
        load_manifest(tmp_path / "none.json")
