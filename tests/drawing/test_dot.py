"""DOT text, read back by a real parser."""

import html
import re
import warnings

import pydot
import pytest
from hypothesis import given, settings

from tests.drawing.networks import architectures, network
from tests.examples import support_triage
from windtunnel.domain.architectures import Architecture
from windtunnel.drawing import dot
from windtunnel.drawing.text import clean


def parsed(text: str) -> pydot.Dot:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser under it deprecates its own names
        graphs = pydot.graph_from_dot_data(text)
    assert graphs is not None
    assert len(graphs) == 1
    return graphs[0]


def shown(quoted: str) -> str:
    assert quoted.startswith('"')
    assert quoted.endswith('"')
    text = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted[1:-1])
    return html.unescape(text)


@settings(max_examples=20, deadline=None)
@given(architectures())
def test_any_network_is_valid_and_labels_read_back(architecture: Architecture) -> None:
    graph = parsed(dot(architecture))
    nodes = {node.get_name(): node for node in graph.get_nodes() if re.fullmatch(r"[nt]\d+", node.get_name())}
    assert len(nodes) == len(architecture.agents) + len(architecture.tools)
    for number, agent in enumerate(architecture.agents, 1):
        name, _, role = shown(nodes[f"n{number}"].get("label")).rpartition("\n")
        assert name == clean(agent.name)
        assert role.startswith(agent.role.value.capitalize())
    uses = sum(len(set(agent.tools)) for agent in architecture.agents)
    assert len(graph.get_edges()) == len(architecture.links) + uses


@pytest.mark.parametrize("size", [1, 16, 64])
def test_networks_of_any_size(size: int) -> None:
    assert len(parsed(dot(network(size))).get_edges()) >= size - 1


def test_conditions_shares_and_kinds_are_drawn() -> None:
    text = dot(support_triage())
    assert '[label="refund above the limit · 20 %" color="#4f46e5" penwidth=2.2];' in text
    assert "shape=hexagon" in text
    assert "n2 -> t1 [style=dashed arrowhead=none" in text
