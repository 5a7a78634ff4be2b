"""Provisioning an environment: a slot is taken and production's configuration copied; a worker makes the rest."""

import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import LIFETIME, LimitsRequest, check_lifetime, check_limits, check_name
from windtunnel.domain.environments import Environment, EnvironmentEventDraft, EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.errors import QuotaError
from windtunnel.domain.flags import Flag
from windtunnel.domain.ids import new_id, new_namespace
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_environments
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import Changed, current, tell
from windtunnel.operations.feature_flags import disabled, is_enabled
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of_password
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life, production

PASSWORD_BYTES = 32
USUAL = LimitsRequest()


@dataclass(frozen=True, slots=True)
class ProvisionRequest:
    """What is asked for; without a `lifetime`, or with less than all of the `limits`, it has the usual ones."""

    name: str
    lifetime: timedelta | None = None
    limits: LimitsRequest = USUAL
    idempotency_key: str | None = None


async def provision_environment(services: Services, viewer: Viewer, request: ProvisionRequest) -> Environment:
    """The environment, PROVISIONING; asked again with the same idempotency key, as it is by then.

    Raises ForbiddenError, ValidationError, PolicyError (FEATURE_DISABLED), QuotaError, ConflictError
    (IDEMPOTENCY_MISMATCH).
    """
    await permit(services, viewer, Action.PROVISION_ENVIRONMENT)
    name = check_name(request.name)
    lifetime = check_lifetime(LIFETIME if request.lifetime is None else request.lifetime)
    limits = check_limits(request.limits)
    enabled = await is_enabled(services, viewer, Flag.ENVIRONMENTS)

    async def provision() -> Done[Changed]:
        if not enabled:
            raise disabled(Flag.ENVIRONMENTS)
        made = await _insert(services, viewer, name, lifetime, limits)
        environment = made[0]
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.ENVIRONMENT_REQUESTED,
            Subject(Kind.ENVIRONMENT, environment.id),
            details=_on_record(environment),
        )
        return Done(environment.id, made)

    what = {"name": name, "lifetime": lifetime // timedelta(milliseconds=1), "limits": asdict(limits)}
    outcome = await once(
        services, viewer, Asked(Action.PROVISION_ENVIRONMENT, request.idempotency_key, what), provision
    )
    if outcome.made is None:
        return await current(services, viewer.tenant_id, outcome.result_id)
    await announce_environments(services.bus)
    return await tell(services, outcome.made)


async def _insert(
    services: Services, viewer: Viewer, name: str, lifetime: timedelta, limits: EnvironmentLimits
) -> Changed:
    new_environment_id, tenant_id = new_id(), viewer.tenant_id
    place = place_of_password(tenant_id, new_environment_id)
    new = environment_life.NewEnvironment(
        id=new_environment_id,
        tenant_id=tenant_id,
        namespace=new_namespace(),
        name=name,
        created_by=viewer.user.id,
        request_id=viewer.request_id,
        lifetime=lifetime,
        limits=limits,
        snapshot=await production.snapshot(services.store, tenant_id),
        sealed_password=services.vault.seal(secrets.token_hex(PASSWORD_BYTES), place),
    )
    draft = EnvironmentEventDraft(EnvironmentStatus.PROVISIONING, "request", "The environment was asked for.", 0.0)
    inserted = await environment_life.insert(services.store, new, draft)
    if inserted is None:
        raise QuotaError(
            f"A tenant has at most {ENVIRONMENTS_PER_TENANT} environments. Delete one that nobody needs.",
            limit=ENVIRONMENTS_PER_TENANT,
            used=ENVIRONMENTS_PER_TENANT,
        )
    return inserted


def _on_record(environment: Environment) -> dict[str, object]:
    limits = environment.limits
    return {
        "name": environment.name,
        "slot": environment.slot,
        "expiresAt": environment.expires_at,
        "limits": {
            "cpu": limits.cpu,
            "memoryMb": limits.memory_mb,
            "storageMb": limits.storage_mb,
            "maxSimulations": limits.max_simulations,
        },
        "productionRevision": environment.snapshot.revision,
        "configurationDigest": environment.snapshot_digest,
    }
