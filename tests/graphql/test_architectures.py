"""The agent network as clients see it."""

from hashlib import sha256

from schema.ids import Kind, encode
from tests.examples import support_triage
from tests.graphql.world import Client, told
from windtunnel.domain.architectures import digest_of
from windtunnel.knowledge import load_book


async def _architecture(client: Client) -> str:
    simulation = await told(client.services.store, client.signed_in)
    assert simulation.architecture_id
    return encode(Kind.ARCHITECTURE, simulation.architecture_id)


async def test_the_graph_is_the_planned_one(client: Client) -> None:
    data = await client.get(
        "query($id: ID!) { architecture(id: $id) { digest scenario { id } basedOn { id } changes entryPoints exitPoints"
        " agents { key role layer tools { key } failureModes { key } policy { maxAttempts } }"
        " links { key source target kind probability } tools { key kind usedBy sideEffects }"
        " failureModes { key probability targets { key } definition { code category source } triggeredSeqs outcome }"
        " metrics { agentCount linkCount toolCount hasCycle criticalPath singlePointsOfFailure } } }",
        {"id": await _architecture(client)},
    )
    shown, planned = data["architecture"], support_triage()
    assert shown["digest"] == digest_of(planned)
    assert (shown["scenario"], shown["basedOn"], shown["changes"]) == (None, None, [])
    assert shown["entryPoints"] == list(planned.entry_points)
    assert [agent["key"] for agent in shown["agents"]] == [agent.key for agent in planned.agents]
    assert [[tool["key"] for tool in agent["tools"]] for agent in shown["agents"]] == [
        list(agent.tools) for agent in planned.agents
    ]
    assert [(link["source"], link["target"], link["probability"]) for link in shown["links"]] == [
        (link.source, link.target, link.probability) for link in planned.links
    ]
    assert {tool["key"]: tool["usedBy"] for tool in shown["tools"]} == {
        tool.key: list(tool.used_by) for tool in planned.tools
    }
    assert [(mode["key"], [agent["key"] for agent in mode["targets"]]) for mode in shown["failureModes"]] == [
        (mode.key, list(mode.targets)) for mode in planned.failure_modes
    ]
    for mode, told_mode in zip(planned.failure_modes, shown["failureModes"], strict=True):
        definition = load_book().definition(mode.code)
        assert told_mode["definition"] == {
            "code": mode.code,
            "category": definition.category,
            "source": definition.source,
        }
        assert (told_mode["triggeredSeqs"], told_mode["outcome"]) == ([], None)
        for agent in shown["agents"]:
            assert ({"key": mode.key} in agent["failureModes"]) == (agent["key"] in mode.targets)
    assert shown["metrics"]["agentCount"] == len(planned.agents)
    assert shown["metrics"]["linkCount"] == len(planned.links)
    assert shown["metrics"]["toolCount"] == len(planned.tools)


async def test_the_graph_is_drawn(client: Client) -> None:
    data = await client.get(
        "query($id: ID!) { architecture(id: $id) { digest mermaid: render(format: MERMAID) dot: render(format: DOT)"
        " svg: render(format: SVG) json: render(format: JSON) } }",
        {"id": await _architecture(client)},
    )
    drawn = data["architecture"]
    assert "flowchart" in drawn["mermaid"]
    assert drawn["dot"].startswith("digraph")
    assert drawn["svg"].startswith("<svg")
    assert sha256(drawn["json"].encode()).hexdigest() == drawn["digest"]
    assert all("triage" in drawn[notation].lower() for notation in ("mermaid", "dot", "svg", "json"))
