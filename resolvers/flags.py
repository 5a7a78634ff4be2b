"""Feature flags: how the viewer's tenant has set them, and setting them."""

from collections.abc import Sequence

from resolvers.context import Context
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.flags import FeatureFlag, RolloutStage, with_defaults
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.storage import flags


async def features(context: Context) -> list[FeatureFlag]:
    """Every flag; the defaults for whoever is not let in, and while the database is down: health is asked then, too."""
    if context.viewer is None or not context.viewer.roles:
        return with_defaults([])
    try:
        return with_defaults(await flags.list_set(context.services.store, context.viewer.tenant_id))
    except UnavailableError:
        return with_defaults([])


async def set_flag(
    context: Context, name: str, enabled: bool, stage: RolloutStage | None, pilots: Sequence[str] | None
) -> FeatureFlag:
    """The flag as it is now."""
    return await set_feature_flag(context.services, context.signed_in(), name, enabled, stage=stage, pilots=pilots)
