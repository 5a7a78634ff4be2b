"""An architecture as a Mermaid flowchart."""

from windtunnel.domain.architectures import AgentRole, Architecture, Link, LinkKind, NetworkAgent, ToolCategory
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import link_text, role_word

_SHAPES = {
    AgentRole.ORCHESTRATOR: ("[[", "]]"),
    AgentRole.PLANNER: ("(", ")"),
    AgentRole.ROUTER: ("{{", "}}"),
    AgentRole.WORKER: ("[", "]"),
    AgentRole.SPECIALIST: ("[", "]"),
    AgentRole.CRITIC: ("[\\", "/]"),
    AgentRole.GUARDRAIL: ("[/", "\\]"),
    AgentRole.MEMORY: ("[(", ")]"),
    AgentRole.HUMAN: ("([", "])"),
    AgentRole.INTEGRATION: (">", "]"),
}
_STORES = frozenset({ToolCategory.DATABASE, ToolCategory.FILE, ToolCategory.RETRIEVAL})
_ARROWS = {
    LinkKind.HANDOFF: "==>",
    LinkKind.CALL: "-->",
    LinkKind.DATA: "-->",
    LinkKind.EVENT: "-.->",
    LinkKind.FEEDBACK: "-.->",
}
# Every fill comes with its own text colour, so that the picture reads on a light and on a dark page.
_ROLE_STYLES = {
    AgentRole.ORCHESTRATOR: "fill:#e0e7ff,stroke:#4f46e5,color:#1e1b4b,stroke-width:2px",
    AgentRole.PLANNER: "fill:#ede9fe,stroke:#7c3aed,color:#2e1065",
    AgentRole.ROUTER: "fill:#fef3c7,stroke:#b45309,color:#451a03",
    AgentRole.WORKER: "fill:#e0f2fe,stroke:#0369a1,color:#082f49",
    AgentRole.SPECIALIST: "fill:#ccfbf1,stroke:#0f766e,color:#042f2e",
    AgentRole.CRITIC: "fill:#fae8ff,stroke:#a21caf,color:#4a044e",
    AgentRole.GUARDRAIL: "fill:#fee2e2,stroke:#b91c1c,color:#450a0a",
    AgentRole.MEMORY: "fill:#f1f5f9,stroke:#475569,color:#0f172a",
    AgentRole.HUMAN: "fill:#ffedd5,stroke:#c2410c,color:#431407,stroke-width:2px",
    AgentRole.INTEGRATION: "fill:#dcfce7,stroke:#15803d,color:#052e16",
}
_TOOL_STYLE = "fill:#f8fafc,stroke:#94a3b8,color:#334155,stroke-dasharray:3 3"
_WRITING_TOOL_STYLE = "fill:#fffbeb,stroke:#d97706,color:#451a03,stroke-dasharray:3 3"
_LINK_STYLES = {
    LinkKind.HANDOFF: "stroke:#4f46e5,stroke-width:2.5px",
    LinkKind.CALL: "stroke:#0284c7,stroke-width:1.5px",
    LinkKind.DATA: "stroke:#64748b,stroke-width:1.5px",
    LinkKind.EVENT: "stroke:#0d9488,stroke-width:1.5px",
    LinkKind.FEEDBACK: "stroke:#d97706,stroke-width:1.5px",
}


def mermaid(architecture: Architecture) -> str:
    """The network as Mermaid text: shapes by role, tools as dashed side nodes, conditions and shares on the links."""
    nodes = {agent.key: f"n{number}" for number, agent in enumerate(architecture.agents, 1)}
    tools = {tool.key: f"t{number}" for number, tool in enumerate(architecture.tools, 1)}
    lines = ["flowchart TD"]
    for agent in architecture.agents:
        opening, closing = _SHAPES[agent.role]
        replicas = f" ×{agent.policy.concurrency}" if agent.policy.concurrency > 1 else ""
        label = _quoted(f"{agent.name} · {role_word(agent.role)}{replicas}")
        lines.append(f"  {nodes[agent.key]}{opening}{label}{closing}")
    for tool in architecture.tools:
        opening, closing = ("[(", ")]") if tool.category in _STORES else ("(", ")")
        lines.append(f"  {tools[tool.key]}{opening}{_quoted(tool.name)}{closing}")
    drawn = [link for link in architecture.links if link.source in nodes and link.target in nodes]
    agents = {agent.key: agent for agent in architecture.agents}
    lines += [f"  {nodes[link.source]} {_arrow(link, agents[link.target])} {nodes[link.target]}" for link in drawn]
    lines += [
        f"  {nodes[agent.key]} -.- {tools[key]}"
        for agent in architecture.agents
        for key in dict.fromkeys(agent.tools)
        if key in tools
    ]
    lines += _styles(architecture, nodes, tools, drawn)
    return "\n".join(lines) + "\n"


def _arrow(link: Link, target: NetworkAgent) -> str:
    words = link_text(link, target)
    return f"{_ARROWS[link.kind]}|{_quoted(words)}|" if words else _ARROWS[link.kind]


def _styles(architecture: Architecture, nodes: dict[str, str], tools: dict[str, str], drawn: list[Link]) -> list[str]:
    lines: list[str] = []
    for role, style in _ROLE_STYLES.items():
        if members := [nodes[agent.key] for agent in architecture.agents if agent.role is role]:
            lines += [f"  classDef {role.lower()} {style}", f"  class {','.join(members)} {role.lower()}"]
    for name, style, writing in (("tool", _TOOL_STYLE, False), ("writes", _WRITING_TOOL_STYLE, True)):
        if members := [tools[tool.key] for tool in architecture.tools if tool.side_effects is writing]:
            lines += [f"  classDef {name} {style}", f"  class {','.join(members)} {name}"]
    for kind, style in _LINK_STYLES.items():
        if numbers := [str(number) for number, link in enumerate(drawn) if link.kind is kind]:
            lines.append(f"  linkStyle {','.join(numbers)} {style}")
    return lines


def _quoted(text: str) -> str:
    # Inside quotes Mermaid still reads entities, HTML, `markdown`, $$formulas$$, icons (fa:...) and %%{directives}%%,
    # so that all punctuation but the plainest is written as a number. It marks entities for itself with the ligature
    # fl and two degree signs; a label must not hold that mark, whichever way it is written.
    return '"' + ("".join(map(_character, clean(text).replace("ﬂ", "fl"))) or " ") + '"'


def _character(char: str) -> str:
    is_plain = char.isalnum() or char in " ,.-()/+?!'·×" or ord(char) > 0xFF
    return char if is_plain else f"#{ord(char)};"
