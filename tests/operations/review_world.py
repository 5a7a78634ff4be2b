"""Reviews of deployments as they begin, with people who may decide them and others who may not."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import orjson

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import became, submitted
from tests.packages.world import manifest
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.failures import Severity
from windtunnel.domain.ids import new_id
from windtunnel.domain.packages import Classification
from windtunnel.domain.people import name_of_address
from windtunnel.domain.review_rules import digest_of_json, next_look, policy_for, risk_of
from windtunnel.domain.reviews import Finding, Review
from windtunnel.domain.tokens import digest_of
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.approve_deployment import ApproveRequest, approve_deployment
from windtunnel.operations.issue_api_token import TokenRequest, issue_api_token
from windtunnel.operations.open_review import open_review
from windtunnel.operations.reject_deployment import RejectRequest, reject_deployment
from windtunnel.operations.review_people import excluded_people
from windtunnel.operations.services import Services
from windtunnel.storage import deployments, people, production, reviews, sign_in
from windtunnel.storage.times import milliseconds

REVIEWER = frozenset({Role.SECURITY_REVIEWER})
REASON = "It opens a socket that it does not declare."
FINDING = Finding(Severity.HIGH, "Undeclared socket", "main.py, line 3.", "Declare the host, or remove the call.")


async def person(services: Services, viewer: Viewer, email: str, *roles: Role) -> Viewer:
    """Somebody of the viewer's tenant; a SECURITY_REVIEWER unless said otherwise, who comes without a token."""
    wanted = frozenset(roles) or REVIEWER
    user = await people.ensure(services.store, viewer.tenant_id, email, name_of_address(email))
    async with services.store.transaction(viewer.tenant_id):
        await people.set_roles(services.store, viewer.tenant_id, user.id, wanted)
    return replace(viewer, user=user, roles=wanted, token_id=None)


async def by_token(services: Services, issuer: Viewer, holder: Viewer) -> Viewer:
    """The holder, coming with a token that somebody else issued in their name."""
    request = TokenRequest("lent", sorted(holder.roles), user_id=holder.user.id)
    issued = await issue_api_token(services, issuer, request)
    found = await sign_in.by_token(services.store, digest_of(issued.secret or ""))
    assert found
    return found.viewer


async def reviewable(
    services: Services,
    submitter: Viewer,
    agent: Agent | None = None,
    *,
    signers: Sequence[str] = (),
    **declared: Any,
) -> Deployment:
    """A deployment that is IN_REVIEW as validation leaves it; `declared` is what its manifest says."""
    told = {"name": "demo/triage", "version": f"1.0.{int(new_id()[-6:], 16)}"} | declared
    found = await submitted(services, submitter, agent, data=mine(**told))
    return await to_review(services, found, signers=signers, **told)


async def to_review(
    services: Services, deployment: Deployment, *, signers: Sequence[str] = (), **declared: Any
) -> Deployment:
    """SUBMITTED -> IN_REVIEW, as validation does it."""
    store, tenant_id = services.store, deployment.tenant_id
    deployment = await became(services, deployment, S.VALIDATING)
    said = manifest(**declared)
    policy = policy_for(Classification(said["data"]["classification"]))
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        version_id = await _version(services, deployment, said)
        review = await open_review(
            services,
            deployment,
            manifest_digest=digest_of_json(said),
            risk=risk_of(said, ()),
            policy=policy,
            config_digest=(await production.snapshot(store, tenant_id)).digest,
            excluded=await excluded_people(store, deployment, said, signers),
            expected_at=await store.now(),
            expected_basis="As usual.",
        )
        await store.of(tenant_id).fetch(
            "UPDATE deployments SET status = 'IN_REVIEW', version_id = $3, manifest_digest = $4, checks = '[]',"
            " quorum = $5, review_deadline_ms = $6, due_ms = $7, revision = revision + 1"
            " WHERE tenant_id = $1 AND id = $2",
            tenant_id,
            deployment.id,
            version_id,
            digest_of_json(said),
            policy.quorum,
            milliseconds(review.expires_at),
            milliseconds(next_look(review, 0)),
        )
    found = await deployments.get(store, tenant_id, deployment.id)
    assert found
    return found


async def review_of(services: Services, deployment: Deployment) -> Review:
    found = await reviews.of_deployments(services.store, deployment.tenant_id, [deployment.id])
    return found[deployment.id]


async def approve(services: Services, viewer: Viewer, deployment: Deployment, **how: Any) -> Deployment:
    return await approve_deployment(
        services,
        viewer,
        ApproveRequest(**({"reviewed_digest": deployment.package_digest} | how), deployment_id=deployment.id),
    )


async def reject(
    services: Services, viewer: Viewer, deployment: Deployment, findings: Collection[Finding] = (FINDING,), **how: Any
) -> Deployment:
    request = RejectRequest(**({"reason": REASON} | how), deployment_id=deployment.id, findings=tuple(findings))
    return await reject_deployment(services, viewer, request)


async def _version(services: Services, deployment: Deployment, said: dict[str, Any]) -> str:
    version_id = new_id()
    await services.store.of(deployment.tenant_id).fetch(
        "INSERT INTO agent_versions (id, tenant_id, agent_id, version, package_digest, manifest_digest, manifest,"
        " classification, submitted_by, created_ms, bound, state)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, {now}, TRUE, 'CANDIDATE')",
        version_id,
        deployment.tenant_id,
        deployment.agent_id,
        said["version"],
        deployment.package_digest,
        digest_of_json(said),
        orjson.dumps(said).decode(),
        said["data"]["classification"],
        deployment.submitted_by,
    )
    return version_id
