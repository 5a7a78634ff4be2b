"""Icons of roles and tools, drawn on a grid of 16 by 16 as strokes."""

from markupsafe import Markup

from windtunnel.domain.architectures import AgentRole, ToolCategory
from windtunnel.drawing.geometry import number
from windtunnel.drawing.markup import tag

_ROLES = {
    AgentRole.ORCHESTRATOR: "M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM8 5.8V2.6M8 13.4v-3.2M5.8 8H2.6"
    "M13.4 8h-3.2M3.8 3.8l2.3 2.3M9.9 9.9l2.3 2.3",
    AgentRole.PLANNER: "M3 4.2l1 1 1.8-2M3 8.7l1 1 1.8-2M3 13.2l1 1 1.8-2M8.5 4.2H13M8.5 8.7H13M8.5 13.2H13",
    AgentRole.ROUTER: "M2.5 8h4M6.5 8l4.6-4.4M6.5 8l4.6 4.4M8.3 3.4h3v3M8.3 12.6h3v-3",
    AgentRole.WORKER: "M8 2.2l5 2.9v5.8l-5 2.9-5-2.9V5.1zM8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
    AgentRole.SPECIALIST: "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4-2.9-2.8 4-.6z",
    AgentRole.CRITIC: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.1 10.1l3.4 3.4M5.2 7l1.3 1.3L9 5.8",
    AgentRole.GUARDRAIL: "M8 2l5 1.8v4c0 3-2 5.2-5 6.2-3-1-5-3.2-5-6.2v-4zM5.8 8l1.6 1.6L10.3 6.5",
    AgentRole.MEMORY: "M3 4.2c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2zM3 4.2v7.6c0 1.1 2.2 2 5 2s5-.9 5-2V4.2"
    "M3 8c0 1.1 2.2 2 5 2s5-.9 5-2",
    AgentRole.HUMAN: "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM2.8 13.7c.4-2.7 2.4-4 5.2-4s4.8 1.3 5.2 4",
    AgentRole.INTEGRATION: "M6.5 9.5l3-3M7.3 4.7l1.5-1.5a2.8 2.8 0 0 1 4 4l-1.5 1.5M8.7 11.3l-1.5 1.5a2.8 2.8 0 0 1-4-4"
    "l1.5-1.5",
}
_TOOLS = {
    ToolCategory.SEARCH: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.5 3.5",
    ToolCategory.DATABASE: "M3.5 4.5c0-1.1 2-2 4.5-2s4.5.9 4.5 2-2 2-4.5 2-4.5-.9-4.5-2zM3.5 4.5v7c0 1.1 2 2 4.5 2"
    "s4.5-.9 4.5-2v-7",
    ToolCategory.HTTP_API: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM2.5 8h11M8 2.5c-3.3 3.2-3.3 7.8 0 11"
    "M8 2.5c3.3 3.2 3.3 7.8 0 11",
    ToolCategory.CODE: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
    ToolCategory.FILE: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
    ToolCategory.MESSAGING: "M2.5 4h11v8h-11zM2.5 4.5L8 9l5.5-4.5",
    ToolCategory.RETRIEVAL: "M8 4.5C6.5 3.3 4.5 3 2.5 3v9c2 0 4 .3 5.5 1.5"
    "M8 4.5C9.5 3.3 11.5 3 13.5 3v9c-2 0-4 .3-5.5 1.5z",
    ToolCategory.COMPUTE: "M3.5 2.5h9v11h-9zM5.5 5h5M5.5 8.3h1M9.5 8.3h1M5.5 11h1M9.5 11h1",
    ToolCategory.HUMAN: _ROLES[AgentRole.HUMAN],
    ToolCategory.OTHER: "M10.5 2.8a3 3 0 0 0-3.6 4L2.7 11a1.6 1.6 0 0 0 2.3 2.3l4.2-4.2a3 3 0 0 0 4-3.6l-1.9 1.9-1.7-.4"
    "-.4-1.7z",
}
LOCK = "M4 7.5h8v6H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2"
PENCIL = "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z"


def role_icon(role: AgentRole, x: float, y: float, size: float) -> Markup:
    """The icon of a role with its top left corner at (x, y)."""
    return icon(_ROLES[role], x, y, size)


def tool_icon(category: ToolCategory, x: float, y: float, size: float) -> Markup:
    """The icon of a tool's category."""
    return icon(_TOOLS[category], x, y, size)


def icon(strokes: str, x: float, y: float, size: float) -> Markup:
    """Strokes on the grid, scaled to `size`."""
    place = f"translate({number(x)} {number(y)}) scale({size / 16:.3f})"
    return tag("path", d=strokes, transform=place, class_="wt-icon")
