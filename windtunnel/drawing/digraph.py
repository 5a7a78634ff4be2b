"""An architecture in the DOT language of Graphviz."""

from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind, ToolCategory
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import link_text, role_word

_NODE = {
    AgentRole.ORCHESTRATOR: 'shape=box peripheries=2 fillcolor="#e0e7ff" color="#4f46e5"',
    AgentRole.PLANNER: 'shape=note fillcolor="#ede9fe" color="#7c3aed"',
    AgentRole.ROUTER: 'shape=hexagon fillcolor="#fef3c7" color="#b45309"',
    AgentRole.WORKER: 'shape=box fillcolor="#e0f2fe" color="#0369a1"',
    AgentRole.SPECIALIST: 'shape=box fillcolor="#ccfbf1" color="#0f766e"',
    AgentRole.CRITIC: 'shape=invtrapezium fillcolor="#fae8ff" color="#a21caf"',
    AgentRole.GUARDRAIL: 'shape=octagon fillcolor="#fee2e2" color="#b91c1c"',
    AgentRole.MEMORY: 'shape=cylinder fillcolor="#f1f5f9" color="#475569"',
    AgentRole.HUMAN: 'shape=ellipse fillcolor="#ffedd5" color="#c2410c" penwidth=2',
    AgentRole.INTEGRATION: 'shape=component fillcolor="#dcfce7" color="#15803d"',
}
_EDGE = {
    LinkKind.HANDOFF: 'color="#4f46e5" penwidth=2.2',
    LinkKind.CALL: 'color="#0284c7"',
    LinkKind.DATA: 'color="#64748b"',
    LinkKind.EVENT: 'color="#0d9488" style=dotted',
    LinkKind.FEEDBACK: 'color="#d97706" style=dashed constraint=false',
}
_STORES = frozenset({ToolCategory.DATABASE, ToolCategory.FILE, ToolCategory.RETRIEVAL})


def dot(architecture: Architecture) -> str:
    """The network as a digraph: shapes by role, tools as dashed side nodes, conditions and shares on the links."""
    agents = {agent.key: agent for agent in architecture.agents}
    nodes = {agent.key: f"n{number}" for number, agent in enumerate(architecture.agents, 1)}
    tools = {tool.key: f"t{number}" for number, tool in enumerate(architecture.tools, 1)}
    lines = [
        "digraph windtunnel {",
        "  graph [rankdir=TB nodesep=0.35 ranksep=0.6 fontname=Helvetica];",
        "  node [style=filled fontname=Helvetica fontsize=12 margin=0.15];",
        "  edge [fontname=Helvetica fontsize=10];",
    ]
    for agent in architecture.agents:
        replicas = f" ×{agent.policy.concurrency}" if agent.policy.concurrency > 1 else ""
        label = _quoted(agent.name, role_word(agent.role) + replicas)
        lines.append(
            f"  {nodes[agent.key]} [label={label} tooltip={_quoted(agent.responsibility)} {_NODE[agent.role]}];"
        )
    for tool in architecture.tools:
        shape = "cylinder" if tool.category in _STORES else "box"
        colors = 'fillcolor="#fffbeb" color="#d97706"' if tool.side_effects else 'fillcolor="#f8fafc" color="#94a3b8"'
        lines.append(
            f"  {tools[tool.key]} [label={_quoted(tool.name)} tooltip={_quoted(tool.purpose)} "
            f'shape={shape} style="filled,dashed" fontsize=10 {colors}];'
        )
    for link in architecture.links:
        if link.source in nodes and link.target in nodes:
            label = _quoted(link_text(link, agents[link.target]))
            lines.append(f"  {nodes[link.source]} -> {nodes[link.target]} [label={label} {_EDGE[link.kind]}];")
    lines += [
        f'  {nodes[agent.key]} -> {tools[key]} [style=dashed arrowhead=none color="#94a3b8"];'
        for agent in architecture.agents
        for key in dict.fromkeys(agent.tools)
        if key in tools
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(*lines: str) -> str:
    # Graphviz reads \N, \G and the like in labels, and HTML entities too; `\n` between our lines is its own escape.
    return '"' + "\\n".join(map(_escaped, lines)) + '"'


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
