"""Reading, defining and drawing architectures."""

from asyncio import to_thread
from enum import StrEnum

from resolvers.context import Context
from windtunnel.domain.architectures import Architecture, StoredArchitecture, canonical_json
from windtunnel.domain.drawn_networks import DrawnNetwork
from windtunnel.domain.errors import NotFoundError
from windtunnel.drawing import dot, mermaid, svg
from windtunnel.operations.define_architecture import define_architecture


class GraphFormat(StrEnum):
    """A notation in which an agent network can be drawn."""

    MERMAID = "MERMAID"
    DOT = "DOT"
    SVG = "SVG"
    JSON = "JSON"


async def architecture(context: Context, id: str | None) -> StoredArchitecture | None:
    """The architecture of the viewer's tenant, None when there is none."""
    loader = context.loaders.architectures  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def existing(context: Context, id: str) -> StoredArchitecture:
    """As `architecture`; NotFoundError when it was deleted meanwhile."""
    found = await architecture(context, id)
    if found is None:
        raise NotFoundError("This architecture was deleted.")
    return found


async def define(
    context: Context, drawn: DrawnNetwork, based_on: str | None, idempotency_key: str | None
) -> StoredArchitecture:
    """A network drawn by hand, as a new architecture."""
    return await define_architecture(
        context.services, context.signed_in(), drawn, based_on=based_on, idempotency_key=idempotency_key
    )


async def drawn(architecture: Architecture, format: GraphFormat) -> str:
    """As `render`; laying out a picture takes long enough to be done beside the event loop."""
    if format is GraphFormat.SVG:
        return await to_thread(render, architecture, format)
    return render(architecture, format)


def render(architecture: Architecture, format: GraphFormat) -> str:
    """The network in a notation."""
    match format:
        case GraphFormat.MERMAID:
            return mermaid(architecture)
        case GraphFormat.DOT:
            return dot(architecture)
        case GraphFormat.SVG:
            return svg(architecture)
        case GraphFormat.JSON:
            return canonical_json(architecture).decode()
