"""The package of a deployment passed: its version is bound, its review begins, and those who can decide are told."""

from collections.abc import Collection, Iterable, Sequence

from windtunnel.domain.agents import Agent, AgentVersion
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.review_rules import next_look, policy_for, risk_of
from windtunnel.domain.reviews import QueueChange, Review
from windtunnel.domain.viewers import Role
from windtunnel.operations.audit_trail import record
from windtunnel.operations.expect_review import expect_review
from windtunnel.operations.inspect_deployment import Declared
from windtunnel.operations.notify import notify
from windtunnel.operations.open_review import open_review
from windtunnel.operations.pipeline_news import News
from windtunnel.operations.review_people import eligible_reviewers, excluded_people
from windtunnel.operations.services import Services
from windtunnel.storage import candidates, deployment_changes, people, production, tenant_logs
from windtunnel.storage.deployment_care import FREE
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.package_checks import checks_to_json
from windtunnel.storage.times import milliseconds

PASSED = "The package passed every check; reviewers decide now."


async def queue_for_review(
    services: Services,
    deployment: Deployment,
    news: News,
    *,
    agent: Agent,
    version: AgentVersion,
    declared: Declared,
    checks: Sequence[PackageCheck],
    signers: Iterable[str],
) -> None:
    """VALIDATING -> IN_REVIEW, under the tenant's lock and the claim, which ends. Raises LeaseLostError.

    What the review needs is settled now, by the most sensitive data that the manifest declares.
    """
    store, tenant_id = services.store, deployment.tenant_id
    policy = policy_for(declared.classification)
    expected = await expect_review(services, deployment, declared.classification.value)
    review = await open_review(
        services,
        deployment,
        manifest_digest=version.manifest_digest,
        risk=risk_of(declared.manifest, checks),
        policy=policy,
        config_digest=(await production.snapshot(store, tenant_id)).digest,
        excluded=await excluded_people(store, deployment, declared.manifest, signers),
        expected_at=expected.at,
        expected_basis=expected.basis,
    )
    await candidates.bind(store, version)
    changed = await deployment_changes.change(
        store,
        tenant_id,
        deployment.id,
        expected={DeploymentStatus.VALIDATING},
        draft=DeploymentEventDraft(DeploymentStatus.IN_REVIEW, "review", PASSED),
        values={
            "version_id": version.id,
            "manifest_digest": version.manifest_digest,
            "checks": checks_to_json(checks),
            "quorum": policy.quorum,
            "review_deadline_ms": milliseconds(review.expires_at),
            "due_ms": milliseconds(next_look(review, 0)),
        },
        exprs=FREE,
        fence=deployment.fence,
    )
    if changed is None:
        raise LeaseLostError(deployment.id)
    news.of(changed)
    news.queue.append(await tenant_logs.append_queue(store, tenant_id, QueueChange.ENTERED, review.id))
    reviewers = await eligible_reviewers(store, tenant_id, review.excluded)
    name = f"{agent.name} {version.version}"
    await _ask(services, deployment, news, name=name, review=review, reviewers=reviewers)
    await record(
        services,
        None,
        tenant_id,
        AuditAction.REVIEW_OPENED,
        Subject(Kind.DEPLOYMENT, deployment.id),
        details={
            "review": Subject(Kind.REVIEW, review.id),
            "version": version.version,
            "packageDigest": deployment.package_digest,
            "manifestDigest": version.manifest_digest,
            "policyDigest": review.policy_digest,
            "configurationDigest": review.config_digest,
            "quorum": policy.quorum,
            "risk": review.risk.value,
            "excluded": [Subject(Kind.USER, each) for each in review.excluded],
            "expiresAt": review.expires_at,
        },
        request_id=deployment.request_id,
    )


async def _ask(
    services: Services, deployment: Deployment, news: News, *, name: str, review: Review, reviewers: Collection[str]
) -> None:
    """Tell those who may decide; when they are too few, those who can change that, too."""
    tenant_id, needed = deployment.tenant_id, review.policy.quorum
    subject = Subject(Kind.DEPLOYMENT, deployment.id)
    votes = "1 approval" if needed == 1 else f"{needed} approvals"
    until = f"{review.expires_at:%Y-%m-%d %H:%M} UTC"
    news.notices.append(
        await notify(
            services,
            tenant_id,
            NotificationKind.REVIEW_REQUESTED,
            title=f"Review requested: {name}",
            body=f"Its risk is {review.risk.value}. It needs {votes} until {until}, and expires then.",
            subject=subject,
            recipients=reviewers,
        )
    )
    if len(reviewers) >= needed:
        return
    admins = await people.with_role(services.store, tenant_id, Role.ADMIN)
    there = "nobody who had no part in it has the role SECURITY_REVIEWER" if not reviewers else "there is only one"
    news.notices.append(
        await notify(
            services,
            tenant_id,
            NotificationKind.NO_ELIGIBLE_REVIEWER,
            title=f"Too few reviewers: {name}",
            body=f"It needs {votes}, and {there}. Give the role to others until {until}, or it expires.",
            subject=subject,
            recipients={deployment.submitted_by, *admins},
        )
    )
