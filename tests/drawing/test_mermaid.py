"""Mermaid text: what it says, and that no label can say more than a label."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.drawing.networks import HOSTILE, architectures, chain, network
from tests.examples import review_loop, support_triage
from windtunnel.domain.architectures import Architecture
from windtunnel.drawing import mermaid
from windtunnel.drawing.text import clean

QUOTED = r'"(?:[^"#\n]|#\d+;)+"'
STATEMENT = re.compile(
    rf"  (?:"
    rf"n\d+(?:\[\[|\(|\{{\{{|\[|\[\\|\[/|\[\(|\(\[|>){QUOTED}(?:\]\]|\)|\}}\}}|\]|/\]|\\\]|\)\]|\]\))"
    rf"|t\d+(?:\[\(|\(){QUOTED}(?:\)\]|\))"
    rf"|n\d+ (?:==>|-->|-\.->)(?:\|{QUOTED}\|)? n\d+"
    rf"|n\d+ -\.- t\d+"
    rf"|classDef [a-z]+ [a-z0-9#:,. -]+|class [nt\d,]+ [a-z]+|linkStyle [\d,]+ [a-z0-9#:,. -]+"
    rf")"
)
PLAIN = re.compile(r"[^\x21-\x7e]|[\w,.()/+?!'-]")


def labels_in(text: str) -> list[str]:
    return re.findall(QUOTED, text)


def shown(label: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label.strip('"'))


@settings(max_examples=60, deadline=None)
@given(architectures())
def test_every_line_is_a_statement_of_ours(architecture: Architecture) -> None:
    first, *lines = mermaid(architecture).splitlines()
    assert first == "flowchart TD"
    for line in lines:
        assert STATEMENT.fullmatch(line), line


@settings(max_examples=60, deadline=None)
@given(architectures())
def test_labels_hold_no_character_that_mermaid_reads_as_more_than_text(architecture: Architecture) -> None:
    for label in labels_in(mermaid(architecture)):
        inner = re.sub(r"#\d+;", "", label[1:-1])
        assert all(PLAIN.fullmatch(char) for char in inner), label
        assert "ﬂ" not in label


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_they_are(name: str) -> None:
    drawn = network(3)
    named = replace(drawn, agents=(replace(drawn.agents[0], name=name), *drawn.agents[1:]))
    assert shown(labels_in(mermaid(named))[0]).startswith(clean(name).replace("ﬂ", "fl"))


def test_a_network_says_roles_conditions_shares_and_tools() -> None:
    lines = mermaid(support_triage()).splitlines()
    assert '  n1{{"Triage · Router"}}' in lines
    assert '  n5(["Manager · Human"])' in lines
    assert '  n2 ==>|"refund above the limit · 20 #37;"| n5' in lines
    assert '  n6 -->|"refund to reply"| n7' in lines
    assert "  n2 -.- t1" in lines
    assert '  t1[("Crm")]' in lines


def test_feedback_is_dashed_and_coloured() -> None:
    lines = mermaid(review_loop()).splitlines()
    assert '  n2 -.->|"not good enough · 30 #37;"| n1' in lines
    assert any(line.startswith("  linkStyle 1 stroke:") for line in lines)


def test_one_agent_alone_is_a_picture_too() -> None:
    lines = mermaid(chain(1)).splitlines()
    assert lines[1].startswith("  n1(")
    assert not any("-->" in line for line in lines)
