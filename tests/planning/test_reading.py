"""Reading a text: languages, sentences, clauses, concepts, people and numbers."""

import re
import tomllib
from importlib.resources import files

import pytest

from windtunnel.planning.offline.counts import most_agents_in
from windtunnel.planning.offline.steps import is_gate, steps_of
from windtunnel.planning.reading.language import UNKNOWN
from windtunnel.planning.reading.lexicon import FULL, LANGUAGES, label
from windtunnel.planning.reading.reading import read
from windtunnel.planning.reading.segments import sentences
from windtunnel.planning.reading.words import fold


def spoken(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Read it. Pay it! Done?", ["Read it", "Pay it", "Done"]),
        ("It costs 3.50 euro, e.g. at noon. Next.", ["It costs 3.50 euro, e.g. at noon", "Next"]),
        ("Steps:\n- read\n- pay", ["Steps", "read", "pay"]),
        ("先读取。再付款！", ["先读取", "再付款"]),
        ("See https://example.org/a.b for more", ["See https://example.org/a.b for more"]),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert spoken(text) == expected


def test_clauses_say_one_thing_each_and_lists_stay_together() -> None:
    reading = read("Agents read logs, metrics and traces, find the cause and then propose a fix.")
    assert [clause.text for clause in reading.clauses] == [
        "Agents read logs, metrics and traces",
        "find the cause",
        "propose a fix",
    ]
    assert [[hit.concept for hit in clause.deeds][:1] for clause in reading.clauses] == [
        ["read"],
        ["search"],
        ["decide"],
    ]


def test_things_and_doers_are_no_deeds() -> None:
    reading = read("The report of the checker is on the order.")
    assert [hit.concept for clause in reading.clauses for hit in clause.deeds] == []


LANGUAGE_OF = {
    "The agent reads the mail and answers it for the customer.": "en",
    "El agente lee los correos y responde a los clientes de la tienda.": "es",
    "Der Agent liest die Post und beantwortet sie für den Kunden.": "de",
    "L'agent lit le courrier et répond aux clients dans la journée.": "fr",
    "O agente lê os e-mails e responde aos clientes da loja com atenção.": "pt",
    "L'agente legge la posta e risponde ai clienti della banca che scrivono.": "it",
    "智能体阅读邮件并回复客户。": "zh",
    "エージェントがメールを読み、お客様に返信する。": "ja",
    "De agent leest de post en beantwoordt die voor de klant.": "nl",
    "Agenten läser posten och svarar kunden som har skrivit.": "sv",
    "Agent czyta pocztę i odpowiada klientom, którzy pytają o zamówienie.": "pl",
    "Ajan her sabah postayı okur ve müşteri için bir cevap yazar.": "tr",
    "Agen membaca surat dari pelanggan dan menjawab pertanyaan itu.": "id",
    "Агент читает письма": "ru",
    "Агент читає листи й відповідає": "uk",
    "الوكيل يقرأ البريد": "ar",
    "एजेंट डाक पढ़ता है": "hi",
    "에이전트가 메일을 읽는다": "ko",
    "qwer zxcv asdf": UNKNOWN,
    "12345 ...": UNKNOWN,
}


@pytest.mark.parametrize("text", LANGUAGE_OF)
def test_the_language_is_told(text: str) -> None:
    assert read(text).language == LANGUAGE_OF[text]


def sections(language: str) -> dict[str, set[str]]:
    text = files("windtunnel.planning.lexicon").joinpath(f"{language}.toml").read_text("utf-8")
    return {section: set(entries) for section, entries in tomllib.loads(text).items()}


@pytest.mark.parametrize("language", FULL)
def test_every_full_language_has_every_concept(language: str) -> None:
    found = {name: part for name, part in sections(language).items() if name != "products"}
    assert found == {name: part for name, part in sections("en").items() if name != "products"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_a_concept_of_its_own(language: str) -> None:
    assert all(entries <= sections("en")[section] for section, entries in sections(language).items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_entries_can_be_found(language: str) -> None:
    text = files("windtunnel.planning.lexicon").joinpath(f"{language}.toml").read_text("utf-8")
    for section, concepts in tomllib.loads(text).items():
        if section == "grammar":
            continue
        for concept, entries in concepts.items():
            for entry in entries.split(","):
                assert re.search(r"[^\W_]", entry), f"{language} {section} {concept} has the empty entry {entry!r}"


def test_accents_and_width_do_not_matter() -> None:
    assert fold("Überprüfen") == "uberprufen"
    assert fold("ＡＰＩ") == "api"
    assert fold("ボット") == "ボット"
    assert read("AUTORIZACIÓN del médico para los pacientes").found() >= {"approve"}


def test_compounds_are_looked_into() -> None:
    assert "crm" in read("Die Stammkundenliste wird gepflegt und der Bestand auch").found("tools")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a city with 5,000 agents", 5000),
        ("three voting agents", 3),
        ("12 agents", 12),
        ("one agent", 1),
        ("tausend Dinge", 1),
        ("cinco agentes de la tienda", 5),
        ("由3个智能体完成", 3),
        ("99999999999999999999 agents", 1_000_000),
    ],
)
def test_agents_are_counted(text: str, number: int) -> None:
    assert most_agents_in(read(text)) == number


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        ("The supervisor must approve it.", ["Supervisor"]),
        ("A supervisor agent approves it.", []),
        ("Send the unclear ones to human moderators.", ["Human moderators"]),
        ("Tell the teacher every week.", []),
        ("It needs sign-off from the procurement director.", ["Procurement director"]),
        ("The customer approves of the service.", []),
    ],
)
def test_who_is_a_person(text: str, gates: list[str]) -> None:
    assert [step.name for step in steps_of(read(text)) if is_gate(step)] == gates


def test_labels_are_in_the_language_of_the_text() -> None:
    assert label("de", "critic") == "Prüfung"
    assert label("ru", "critic") == label("en", "critic")
