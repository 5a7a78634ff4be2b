"""Feature flags: how the viewer's tenant has set them."""

from resolvers.context import Context
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.flags import FeatureFlag, with_defaults
from windtunnel.storage import flags


async def features(context: Context) -> list[FeatureFlag]:
    """Every flag; the defaults for strangers, and while the database is down: health is asked then, too."""
    if context.viewer is None:
        return with_defaults([])
    try:
        return with_defaults(await flags.list_set(context.services.store, context.viewer.tenant_id))
    except UnavailableError:
        return with_defaults([])
