"""Releasing a version that a rollback took away: a security reviewer says that it can be restored again."""

from windtunnel.domain.agents import AgentVersion, VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, PolicyError
from windtunnel.domain.permissions import Action
from windtunnel.domain.rollback_rules import check_reason, no_such_version
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.review_people import behind
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, releases, reviews

_PATH = ("input", "version_id")
_INSTEAD = {
    VersionState.CANDIDATE: "It was never in production: it has to be approved and deployed first.",
    VersionState.LIVE: "It is in production.",
    VersionState.STANDBY: "A rollback can restore it as it is.",
    VersionState.QUARANTINED: "It was released or restored meanwhile. Look at it again.",
    VersionState.PRUNED: "It is not kept any more. Submit its files under a new version.",
}


async def release_quarantine(
    services: Services, viewer: Viewer, version_id: str, reason: str, *, idempotency_key: str | None = None
) -> AgentVersion:
    """The version, STANDBY. Who had a part in it cannot release it, as they could not approve it.

    Raises ForbiddenError, ValidationError, NotFoundError, ConflictError (also VERSION_PRUNED, IDEMPOTENCY_MISMATCH),
    PolicyError (SELF_REVIEW).
    """
    subject = Subject(Kind.AGENT_VERSION, version_id)
    await permit(services, viewer, Action.RELEASE_QUARANTINE, subject)
    reason = check_reason(reason)
    store, tenant_id = services.home.store, viewer.tenant_id

    async def release() -> Done[AgentVersion]:
        before = (await agent_versions.get_many(store, tenant_id, [version_id])).get(version_id)
        if before is None or not before.bound:
            raise no_such_version(version_id, _PATH)
        if before.state is not VersionState.QUARANTINED:
            raise _refusal(before)
        await _check_others(services, viewer, before)
        released = await releases.released(store, tenant_id, version_id)
        if released is None:
            raise _refusal(before)
        await record(
            services,
            viewer,
            tenant_id,
            AuditAction.VERSION_RELEASED,
            subject,
            reason=reason,
            details={
                "agentId": Subject(Kind.AGENT, before.agent_id),
                "version": before.version,
                "packageDigest": before.package_digest,
                "quarantineReason": before.quarantine_reason,
            },
        )
        return Done(version_id, released)

    what = {"version_id": version_id, "reason": reason}
    outcome = await once(services, viewer, Asked(Action.RELEASE_QUARANTINE, idempotency_key, what, subject), release)
    if outcome.made is not None:
        return outcome.made
    return (await agent_versions.get_many(store, tenant_id, [outcome.result_id]))[outcome.result_id]


async def _check_others(services: Services, viewer: Viewer, version: AgentVersion) -> None:
    """Raise PolicyError when the viewer had a part in what they would release."""
    store, tenant_id = services.home.store, viewer.tenant_id
    part = {version.submitted_by}
    if version.approved_deployment_id is not None:
        found = await reviews.of_deployments(store, tenant_id, [version.approved_deployment_id])
        part |= {person for review in found.values() for person in review.excluded}
    if part & await behind(store, viewer):
        raise PolicyError(
            "You had a part in this version. Somebody else has to release it.",
            policy="four-eyes",
            code=ErrorCode.SELF_REVIEW,
        )


def _refusal(version: AgentVersion) -> ConflictError:
    code = ErrorCode.VERSION_PRUNED if version.state is VersionState.PRUNED else ErrorCode.CONFLICT
    return ConflictError(
        f"Version {version.version} is not in quarantine. {_INSTEAD[version.state]}",
        current=version.state.value,
        allowed=[VersionState.QUARANTINED.value],
        code=code,
        path=_PATH,
    )
