"""From the manifest of a package to the network that is simulated: its declared agents, handoffs and tools."""

from windtunnel.domain.architectures import AgentRole, DataSensitivity, ToolCategory
from windtunnel.domain.policy import ARCHITECTURE_MAX_AGENTS
from windtunnel.knowledge import Access
from windtunnel.operations.read_package import invalid
from windtunnel.packages.manifest import Manifest, PackagedTool, PackagedToolKind, SideEffects
from windtunnel.packages.references import highest_classification
from windtunnel.planning import Declared, DeclaredAgent, DeclaredTool

NO_AGENTS = "The manifest declares no agents; the package counts as one."
NO_TOOLS = "The manifest declares no tools; the entry point counts as one."
WHO_USES_WHAT = "The manifest does not say which agent calls which tool."
ENTRY_POINT = "entrypoint"

_ACCESS = {
    SideEffects.NONE: Access.COMPUTE,
    SideEffects.READ: Access.READ,
    SideEffects.WRITE: Access.WRITE,
    SideEffects.IRREVERSIBLE: Access.WRITE,
}
_CATEGORIES = {PackagedToolKind.HTTP: ToolCategory.HTTP_API, PackagedToolKind.MCP: ToolCategory.OTHER}


def declared_by(manifest: Manifest) -> Declared:
    """What the manifest declares, ready to be planned. Raises ValidationError (PACKAGE_INVALID) for too many agents."""
    if len(manifest.agents) > ARCHITECTURE_MAX_AGENTS:
        raise invalid(
            f"The package declares {len(manifest.agents)} agents;"
            f" at most {ARCHITECTURE_MAX_AGENTS} can be simulated together."
        )
    sensitivity = DataSensitivity(highest_classification(manifest).value.upper())
    assumptions = [
        *([] if manifest.agents else [NO_AGENTS]),
        *([] if manifest.tools else [NO_TOOLS]),
        *([WHO_USES_WHAT] if manifest.tools and len(manifest.agents) > 1 else []),
    ]
    return Declared(
        summary=f"{manifest.title}: {manifest.description}",
        agents=_agents(manifest),
        tools=tuple(_tool(tool, sensitivity) for tool in manifest.tools) or (_entry_point(manifest, sensitivity),),
        assumptions=tuple(assumptions),
    )


def _agents(manifest: Manifest) -> tuple[DeclaredAgent, ...]:
    if not manifest.agents:
        return (DeclaredAgent(manifest.slug, AgentRole.WORKER, manifest.description, manifest.description),)
    only = len(manifest.agents) == 1
    return tuple(
        DeclaredAgent(
            id=agent.id,
            role=agent.role,
            responsibility=manifest.description if only else f"{agent.role.capitalize()} of {manifest.title}.",
            instructions=f"As packaged: SHA-256 {agent.instructions_digest}.",
            handoffs=agent.handoffs,
        )
        for agent in manifest.agents
    )


def _tool(tool: PackagedTool, sensitivity: DataSensitivity) -> DeclaredTool:
    return DeclaredTool(
        id=tool.id,
        words=" ".join((tool.id, *tool.scopes)).replace("-", " ").replace(".", " "),
        purpose=f"{tool.id}: {', '.join(tool.scopes)}" if tool.scopes else f"Declared by the package as {tool.id}.",
        access=_ACCESS[tool.side_effects],
        external=tool.kind is not PackagedToolKind.FUNCTION,
        category=_CATEGORIES.get(tool.kind),
        sensitivity=sensitivity,
    )


def _entry_point(manifest: Manifest, sensitivity: DataSensitivity) -> DeclaredTool:
    return DeclaredTool(
        id=ENTRY_POINT,
        words=ENTRY_POINT,
        purpose=f"Where {manifest.title} begins.",
        access=Access.COMPUTE,
        external=False,
        category=ToolCategory.CODE,
        sensitivity=sensitivity,
    )
