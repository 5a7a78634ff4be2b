"""The book is complete, consistent and cites its sources."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest

from windtunnel.domain.failures import FailureCategory
from windtunnel.knowledge import Access, load_book


def raw(name: str) -> Mapping[str, Any]:
    return tomllib.loads(files("windtunnel.knowledge").joinpath(name).read_text("utf-8"))


def test_the_catalogue_is_complete() -> None:
    book = load_book()
    assert (len(book.definitions), len(book.triggers), len(book.patterns), len(book.tools)) == (110, 72, 17, 42)
    assert {definition.category for definition in book.definitions.values()} == set(FailureCategory)


def test_every_alias_acts_as_a_canonical_mode() -> None:
    book = load_book()
    for code, definition in book.definitions.items():
        canonical = book.canonical(code)
        assert canonical.canonical == canonical.code
        assert definition.effect == canonical.effect
        assert definition.provenance == canonical.provenance
    assert book.definition("msft_xpia").canonical == "asi01"


def test_advice_is_in_words() -> None:
    advice = {each for definition in load_book().definitions.values() for each in definition.mitigations}
    assert [each for each in advice if re.search(r"[<>=]| \+ |\w\+\w|\bw/", each)] == []


def test_every_reference_leads_to_an_entry() -> None:
    book = load_book()
    for definition in book.definitions.values():
        assert set(definition.effect.cascades_to) <= set(book.definitions)
    for pattern in book.patterns.values():
        assert set(pattern.adds_failure_modes) <= set(book.definitions)


def test_every_entry_says_what_it_is_and_how_to_meet_it() -> None:
    for definition in load_book().definitions.values():
        assert definition.title
        assert definition.description
        assert definition.signals
        assert definition.mitigations
        assert not any("see canonical" in text for text in (*definition.signals, *definition.mitigations))
        assert 0 < definition.effect.probability <= 1


@pytest.mark.parametrize("name", ["failure_modes.toml", "patterns.toml", "tools.toml"])
def test_every_source_is_cited_and_every_citation_has_a_source(name: str) -> None:
    data = raw(name)
    entries = next(value for value in data.values() if isinstance(value, list))
    assert {entry["source"] for entry in entries} == set(data["sources"])
    key = "code" if "code" in entries[0] else "id"
    assert len({entry[key] for entry in entries}) == len(entries)


def test_a_number_of_ours_is_called_ours() -> None:
    for definition in load_book().definitions.values():
        evidence = definition.provenance.partition(":")[0]
        assert evidence in {"published", "secondary", "prior"}
        assert "our prior" in definition.provenance or "our starting estimate" in definition.provenance
    assert "11.8 % of failures (Cemri" in load_book().definition("mast_fm_1_1").provenance


def test_writing_tools_have_side_effects_and_people_are_not_external() -> None:
    tools = load_book().tools
    assert tools["payments"].side_effects
    assert not tools["vector_search"].side_effects
    assert tools["human_task"].access is Access.HUMAN
    assert not tools["human_task"].external


def test_an_unknown_code_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_book().definition("no_such_mode")
