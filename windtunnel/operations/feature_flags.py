"""Asking for a feature: whether it is there for a viewer, and refusing what is not."""

from windtunnel.domain.errors import ErrorCode, PolicyError
from windtunnel.domain.flags import FeatureFlag, Flag
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.storage.flag_provider import evaluation_context


async def is_enabled(services: Services, viewer: Viewer, flag: Flag, agent_slug: str | None = None) -> bool:
    """Whether the feature is there for `viewer` at work on the agent (None: on none in particular).

    Costs one statement; ask before a transaction begins. When the flag cannot be read, the answer is its default, and
    the reason is logged.
    """
    default = FeatureFlag(flag).enabled
    return await services.flags.get_boolean_value_async(flag.value, default, evaluation_context(viewer, agent_slug))


async def require_enabled(services: Services, viewer: Viewer, flag: Flag, agent_slug: str | None = None) -> None:
    """Raise PolicyError (FEATURE_DISABLED) unless `is_enabled`."""
    if not await is_enabled(services, viewer, flag, agent_slug):
        raise disabled(flag)


def disabled(flag: Flag) -> PolicyError:
    """The feature is not there: FEATURE_DISABLED."""
    return PolicyError(
        f"This feature is switched off here, or not rolled out to you yet. An ADMIN can change the flag {flag}.",
        policy=flag.value,
        code=ErrorCode.FEATURE_DISABLED,
    )
