"""The HTML report: complete, self-contained, harmless."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.drawing.networks import HOSTILE, network
from tests.drawing.runs import events_of
from tests.examples import support_triage
from windtunnel.domain.architectures import Architecture, PlanningWarning, digest_of
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.observability import ObservabilitySummary
from windtunnel.drawing.report import Told, report

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Elements, attributes and text of a document; fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def told(architecture: Architecture, text: str = "Support answers customers. Refunds wait for a manager.") -> Told:
    understood = Interpretation(
        "Answer customers",
        "customer support",
        ("Customer",),
        ("request",),
        ("reply",),
        ("be polite",),
        ("e-mail",),
        0.75,
    )
    events = events_of(architecture, 9)
    summary = ObservabilitySummary(len(events), 7, 2, 1, 12_345, None, 1500.0, 4200.0)
    return Told(text, 9, "offline", understood, architecture, events, summary, "It went well.")


def read(document: str) -> Reader:
    reader = Reader()
    reader.feed(document)
    reader.close()
    assert reader.open == []
    return reader


def test_it_tells_everything() -> None:
    drawn = replace(
        support_triage(),
        assumptions=("One refund limit.",),
        clarifying_questions=("Who approves at night?",),
        warnings=(PlanningWarning("FALLBACK", "The offline planner stepped in."),),
    )
    text = read(
        report(told(drawn), titles={"tool_api_timeout": "Slow tool"}, patterns={"router_triage": "Triage!"})
    ).text
    for words in (
        "Support answers customers.", "It went well.", "Answer customers", "be polite", "12,345", "75 %", "Triage!",
        "Human approval gate", "Slow tool", "Tool wrong selection", "prior: chosen for tests", "Retry with back-off.",
        "did not strike", "Does the billing step.", "3 attempts, back-off from 500 ms, time limit 30 s",
        "One refund limit.", "Who approves at night?", "The offline planner stepped in.", "Critical path",
        "Triage → Billing → Manager → Refund → Reply", digest_of(drawn), "changes things outside",
    ):  # fmt: skip
        assert words in text


def test_what_struck_comes_first_with_its_end() -> None:
    document = report(told(support_triage()))
    rows = document[document.index('<table class="failures">') :].split("<tr")
    assert 'class="struck"' in rows[2]
    assert "degraded" in rows[2]
    assert "human_approval_delay" in rows[2]


def test_it_needs_nothing_from_outside_and_runs_nothing() -> None:
    reader = read(report(told(network(12))))
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    assert reader.tags.count("a") == 1
    for name, value in reader.attributes:
        assert not name.startswith("on")
        if name in {"href", "src"}:
            assert value == "#main"
    document = report(told(network(12)))
    assert "default-src 'none'" in document
    assert set(re.findall(r"https?://[^\"' ]+", document)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_words_stay_words(label: str) -> None:
    drawn = support_triage()
    hostile = replace(
        drawn,
        summary=label,
        agents=tuple(replace(agent, name=label, responsibility=label) for agent in drawn.agents),
        tools=tuple(replace(tool, name=label, purpose=label) for tool in drawn.tools),
        failure_modes=tuple(
            replace(mode, rationale=label, mitigation=label, detection=label, provenance=label)
            for mode in drawn.failure_modes
        ),
        assumptions=(label,),
        clarifying_questions=(label,),
        warnings=(PlanningWarning("X", label),),
    )
    plain = read(report(told(drawn)))
    reader = read(report(replace(told(hostile, f"Say {label}"), narrative=label)))
    assert set(reader.tags) <= set(plain.tags) | {"ul", "li", "h3"}
    assert {name for name, _ in reader.attributes} == {name for name, _ in plain.attributes}
    assert "\u202e" not in reader.text


def test_it_reads_well_with_assistive_technology() -> None:
    document = report(told(support_triage()))
    reader = read(document)
    assert '<html lang="en">' in document
    assert reader.tags.count("h1") == 1
    assert reader.tags.count("main") == 1
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for name, value in reader.attributes if name == "aria-labelledby"} <= set(ids)
    assert "@media print" in document
    assert "prefers-color-scheme:dark" in document


def test_the_scenario_keeps_its_lines() -> None:
    assert "line one\nline two" in report(told(support_triage(), "line one\nline two"))


def test_the_same_run_gives_the_same_report() -> None:
    assert report(told(network(8))) == report(told(network(8)))
