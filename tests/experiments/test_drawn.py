"""Networks of nodes and links as architectures to look at."""

import json
from typing import Any

from tests.examples import support_triage
from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.drawing import svg
from windtunnel.experiments.drawn import as_modelled, drawn
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.overrides import overridden

SERVICE = {"mean_ms": 100}
FILE: dict[str, Any] = {
    "nodes": [
        {"key": "in", "service": SERVICE, "servers": 2},
        {"key": "long way", "service": SERVICE},
        {"key": "work", "service": SERVICE, "mode": "fork"},
        {"key": "check", "service": SERVICE, "max_attempts": 3},
        {"key": "boss", "service": SERVICE, "hours": {}},
    ],
    "links": [
        {"source": "in", "target": "long way", "probability": 0.3},
        {"source": "in", "target": "work", "probability": 0.7},
        {"source": "long way", "target": "work"},
        {"source": "work", "target": "check"},
        {"source": "work", "target": "boss"},
        {"source": "check", "target": "in", "probability": 0.1},
        {"source": "boss", "target": "boss", "probability": 0.2},
    ],
    "entry": ["in"],
}


def test_nodes_become_agents_by_what_they_do() -> None:
    found = drawn(read_network(json.dumps(FILE)))
    roles = {agent.key: agent.role for agent in found.agents}
    assert roles == {
        "in": AgentRole.ROUTER,
        "long way": AgentRole.WORKER,
        "work": AgentRole.ORCHESTRATOR,
        "check": AgentRole.WORKER,
        "boss": AgentRole.HUMAN,
    }
    assert found.entry_points == ("in",)
    assert found.exit_points == ("check", "boss")
    assert [agent.layer for agent in found.agents] == [0, 1, 1, 2, 2]
    assert found.agents[0].policy.concurrency == 2


def test_only_links_that_close_a_loop_come_back() -> None:
    found = drawn(read_network(json.dumps(FILE)))
    back = {(link.source, link.target) for link in found.links if link.kind is LinkKind.FEEDBACK}
    assert back == {("check", "in"), ("boss", "boss")}
    picture = svg(found)
    assert all(agent.name in picture for agent in found.agents)
    assert picture == svg(drawn(read_network(json.dumps(FILE))))


def test_an_architecture_shows_what_a_variant_changes() -> None:
    plan = support_triage()
    model = overridden(model_of(plan), {"nodes": {plan.agents[0].key: {"concurrency": 7, "max_attempts": 4}}})
    changed = as_modelled(plan, model)
    assert (changed.agents[0].policy.concurrency, changed.agents[0].policy.max_attempts) == (7, 4)
    assert changed.agents[1:] == plan.agents[1:]
