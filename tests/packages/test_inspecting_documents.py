"""What is found in the documents of packages: lock file, bill of materials, agent card."""

import json
from pathlib import Path

import pytest

from tests.packages.inspections import inspected, places, right, with_files
from tests.packages.malice import HASH, LOCKS, locked
from windtunnel.packages.codes import Code, Passed

CARD = {
    "name": "Triage",
    "description": "Sorts tickets.",
    "version": "1.0.0",
    "supportedInterfaces": [{"url": "https://agents.example.net/a2a", "protocolBinding": "JSONRPC"}],
    "capabilities": {},
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["application/json"],
    "skills": [{"id": "sort", "name": "Sort", "description": "Sorts.", "tags": ["support"]}],
}
BOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "components": [{"type": "library", "name": "Some.Name", "version": "1.0"}],
}


@pytest.mark.parametrize("kind", LOCKS)
async def test_dependencies_are_pinned_with_digests_from_one_index(tmp_path: Path, kind: str) -> None:
    text, expected, line = LOCKS[kind]
    found = await inspected(tmp_path, locked(text))
    shifted = line + 1 if kind == "split over lines" else line
    assert (expected, "requirements.lock", shifted) in places(found)
    assert not found.passed
    assert Passed.LOCK_VALID not in right(found)


async def test_a_good_lock_file_lets_code_import_what_it_has(tmp_path: Path) -> None:
    text = f"some-name==1.0 \\\n    {HASH} \\\n    {HASH}  # via nothing\n"
    runtime = {"python": ">=3.11", "lockfile": "requirements.lock", "hashes": True}
    data = with_files({"requirements.lock": text, "triage/more.py": "import some_name\n"}, runtime=runtime)
    found = await inspected(tmp_path, data)
    assert places(found) == []
    assert Passed.LOCK_VALID in right(found)


async def test_a_bill_of_materials_is_valid_and_complete(tmp_path: Path) -> None:
    files = {"sbom.cdx.json": json.dumps(BOM)}
    good = await inspected(tmp_path, locked(f"some-name==1.0 {HASH}\n"))
    assert places(good) == []
    with_bom = {**files, "requirements.lock": f"some-name==1.0 {HASH}\nother==1 {HASH}\n"}
    runtime = {"python": ">=3.11", "lockfile": "requirements.lock", "hashes": True}
    found = await inspected(tmp_path, with_files(with_bom, runtime=runtime))
    assert places(found) == [(Code.SBOM_INCOMPLETE, "sbom.cdx.json", None)]
    assert Passed.SBOM_VALID in right(await inspected(tmp_path, with_files(files)))


@pytest.mark.parametrize(
    "bom",
    [
        "no json",
        json.dumps(BOM | {"specVersion": "1.4"}),
        json.dumps(BOM | {"bomFormat": "Other"}),
        json.dumps(BOM | {"secretly": "more"}),
        json.dumps(BOM | {"components": [{"type": "library"}]}),
        "[]",
    ],
)
async def test_a_broken_bill_of_materials_is_refused(tmp_path: Path, bom: str) -> None:
    found = await inspected(tmp_path, with_files({"sbom.cdx.json": bom}))
    assert Code.SBOM_INVALID in {code for code, _, _ in places(found)}
    assert not found.passed


async def test_an_agent_card_says_the_same_as_the_manifest(tmp_path: Path) -> None:
    good = await inspected(tmp_path, with_files({"agent-card.json": json.dumps(CARD)}))
    assert places(good) == []
    assert Passed.CARD_VALID in right(good)
    other = await inspected(tmp_path, with_files({"agent-card.json": json.dumps(CARD | {"version": "2.0.0"})}))
    assert places(other) == [(Code.CARD_DIFFERENT, "agent-card.json", None)]


@pytest.mark.parametrize("key", CARD)
async def test_an_agent_card_is_complete(tmp_path: Path, key: str) -> None:
    card = {name: value for name, value in CARD.items() if name != key}
    found = await inspected(tmp_path, with_files({"agent-card.json": json.dumps(card)}))
    assert places(found) == [(Code.CARD_INVALID, "agent-card.json", None)]
    assert not found.passed
