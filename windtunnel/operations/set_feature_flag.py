"""Setting a feature flag: on or off, and for whom."""

from collections.abc import Sequence
from dataclasses import replace

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.flags import FeatureFlag, RolloutStage, check_name, check_pilots
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import flags


async def set_feature_flag(
    services: Services,
    viewer: Viewer,
    name: str,
    enabled: bool,
    *,
    stage: RolloutStage | None = None,
    pilots: Sequence[str] | None = None,
) -> FeatureFlag:
    """The flag as it is now, in force at once everywhere. None leaves `stage` or `pilots` as they were.

    Raises ForbiddenError, ValidationError. Setting what is set already changes nothing and is not recorded.
    """
    await permit(services, viewer, Action.SET_FEATURE_FLAG)
    flag = check_name(name)
    listed = None if pilots is None else check_pilots(pilots)
    store, tenant_id = services.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, Action.SET_FEATURE_FLAG):
        # Two people at once, under the lock: each change starts from the one before.
        before = await flags.get(store, tenant_id, flag) or FeatureFlag(flag)
        after = replace(
            before,
            enabled=enabled,
            stage=stage or before.stage,
            pilots=before.pilots if listed is None else listed,
        )
        if after != before:
            await flags.put(store, tenant_id, after, viewer.user.id)
            await record(
                services,
                viewer,
                tenant_id,
                AuditAction.FLAG_CHANGED,
                Subject(Kind.FEATURE_FLAG, flag.value),
                details={"from": _facts(before), "to": _facts(after)},
            )
    return after


def _facts(flag: FeatureFlag) -> dict[str, object]:
    return {"enabled": flag.enabled, "stage": flag.stage.value, "pilots": list(flag.pilots)}
