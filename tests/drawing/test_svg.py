"""The picture of a network: sound, harmless, complete and the same everywhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.drawing.networks import HOSTILE, architectures, chain, fan_out, network
from tests.drawing.pictures import assert_inert, of_class, read, titles, words_of
from tests.examples import pipeline, review_loop, support_triage
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.failures import FailureOutcome
from windtunnel.drawing import svg


@settings(max_examples=60, deadline=None)
@given(architectures())
def test_any_network_is_sound_and_harmless(architecture: Architecture) -> None:
    picture = svg(architecture)
    assert_inert(picture)
    assert len(list(of_class(picture, "wt-agent"))) == len(architecture.agents)
    assert len(list(of_class(picture, "wt-name"))) >= len(architecture.agents)


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_words_stay_words(label: str) -> None:
    drawn = support_triage()
    hostile = replace(
        drawn,
        summary=label,
        agents=tuple(replace(agent, name=label, responsibility=label, skills=(label,)) for agent in drawn.agents),
        links=tuple(replace(link, label=label, condition=label) for link in drawn.links),
        tools=tuple(replace(tool, name=label, purpose=label) for tool in drawn.tools),
        failure_modes=tuple(replace(mode, code=label) for mode in drawn.failure_modes),
    )
    assert_inert(svg(hostile))


@pytest.mark.parametrize("size", [1, 2, 5, 16, 40, 64])
def test_every_agent_and_every_link_is_drawn(size: int) -> None:
    architecture = network(size, size)
    picture = svg(architecture)
    assert len(list(of_class(picture, "wt-agent"))) == size
    legend_lines = len({link.kind for link in architecture.links})
    assert len(list(of_class(picture, "wt-link"))) == len(architecture.links) + legend_lines


def test_the_same_network_gives_the_same_picture_in_every_process() -> None:
    script = (
        "from tests.drawing.networks import network\n"
        "from windtunnel.drawing import dot, mermaid, svg\n"
        "from hashlib import sha256\n"
        "print([sha256(draw(network(20)).encode()).hexdigest() for draw in (dot, mermaid, svg)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_the_picture_says_names_roles_tools_conditions_and_failures() -> None:
    picture = svg(support_triage())
    assert words_of(picture, "wt-name") == [
        "Triage", "Billing", "Technical", "Product", "Manager", "Refund", "Reply",
    ]  # fmt: skip
    assert "ROUTER" in words_of(picture, "wt-role")
    assert "Vector search" in words_of(picture, "wt-chip-words")
    assert "refund above the limit · 20 %" in words_of(picture, "wt-label-words")
    assert words_of(picture, "wt-pill-words")[:2] == ["H1", "L1"]
    assert any("tool_api_timeout: 6 % per run" in title for title in titles(picture))


def test_it_is_readable_on_light_and_dark_pages_and_aloud() -> None:
    picture = svg(pipeline())
    assert "@media screen and (prefers-color-scheme:dark)" in picture
    root = read(picture)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Agent network: 3 agents, 2 links, 2 tools"
    assert titles(picture)[0] == root.get("aria-label")


def test_long_names_are_cut_and_told_in_full_in_the_tooltip() -> None:
    name = "Enterprise resource planning reconciliation specialist for supplier invoices"
    drawn = pipeline()
    named = replace(drawn, agents=(replace(drawn.agents[0], name=name), *drawn.agents[1:]))
    picture = svg(named)
    lines = words_of(picture, "wt-name")[:2]
    assert lines[0].startswith("Enterprise")
    assert lines[1].endswith("…")
    assert any(name in title for title in titles(picture))


def test_a_run_shows_on_the_network() -> None:
    picture = svg(review_loop(), load={"writer": 0.5}, struck={"critic": FailureOutcome.DEGRADED})
    rings = [element.get("class") for element in of_class(picture, "wt-ring")]
    assert rings == ["wt-ring wt-of-degraded"] * 2
    assert any("Busy 50 % of the time" in title for title in titles(picture))
    assert "struck, degraded" in words_of(picture, "wt-legend")


def test_the_legend_shows_only_what_is_drawn() -> None:
    words = words_of(svg(pipeline()), "wt-legend")
    assert "Data" in words
    assert "Feedback" not in words
    assert "Human" not in words


@pytest.mark.parametrize(
    "architecture", [chain(1), chain(12), fan_out(20), network(64, 3)], ids=["1", "12", "20", "64"]
)
def test_everything_lies_inside_the_picture(architecture: Architecture) -> None:
    root = read(svg(architecture))
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    assert width >= 560
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for chip in of_class(svg(architecture), "wt-chip"):
        assert 0 <= float(chip.get("x", "-1")) <= width
        assert 0 <= float(chip.get("y", "-1")) <= height
