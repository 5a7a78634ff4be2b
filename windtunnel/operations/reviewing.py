"""What reviewers do to a review, the parts that all of it has in common: look, refuse, cast a vote, put on record."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, PolicyError, WindtunnelError
from windtunnel.domain.permissions import Action
from windtunnel.domain.reviews import Decision, Review, Vote
from windtunnel.domain.submissions import illegal
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import current, name_of
from windtunnel.operations.expire_review import expire_review
from windtunnel.operations.idempotent import Asked, Done, Outcome, once
from windtunnel.operations.review_people import behind, behind_tokens, excluded_people, who_voted
from windtunnel.operations.review_seals import seal_of_vote
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, review_changes, reviews
from windtunnel.storage.times import milliseconds, moment

SELF_REVIEW = "self_review"


@dataclass(frozen=True, slots=True)
class Case:
    """A review that waits, as it is under the tenant's lock at `now`, looked at by somebody who had no part in it.

    `name` is that of the agent with its version; `behind` are those for whom `votes` count, by token.
    """

    deployment: Deployment
    review: Review
    votes: Sequence[Vote]
    behind: Mapping[str, frozenset[str]]
    now: datetime
    name: str

    @property
    def subject(self) -> Subject:
        """What is told and recorded is about the deployment."""
        return Subject(Kind.DEPLOYMENT, self.deployment.id)

    @property
    def digests(self) -> dict[str, object]:
        """What the audit log says of the object of the review."""
        return {
            "review": Subject(Kind.REVIEW, self.review.id),
            "packageDigest": self.deployment.package_digest,
            "manifestDigest": self.deployment.manifest_digest,
            "policyDigest": self.review.policy_digest,
        }


async def ask(
    services: Services, viewer: Viewer, asked: Asked, deployment_id: str, act: Callable[[], Awaitable[Done[Deployment]]]
) -> Outcome[Deployment]:
    """As `once`. On record is who may not, because they had a part in it, or because the review was tampered with.

    What came too late has expired then.
    """
    try:
        return await once(services, viewer, asked, act)
    except WindtunnelError as refused:
        await after_refusal(services, viewer, asked.action, deployment_id, refused)
        raise


async def after_refusal(
    services: Services, viewer: Viewer, action: Action, deployment_id: str, refused: WindtunnelError
) -> None:
    """Outside of the transaction that was refused: what is kept of it."""
    if refused.code is ErrorCode.REVIEW_EXPIRED:
        await expire_review(services, viewer.tenant_id, deployment_id)
    elif refused.code in {ErrorCode.SELF_REVIEW, ErrorCode.APPROVAL_INVALID}:
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.ACCESS_DENIED,
            Subject(Kind.DEPLOYMENT, deployment_id),
            reason=refused.message,
            details={"attempted": action.value, "code": refused.code.value},
        )


async def case_of(services: Services, viewer: Viewer, deployment_id: str) -> Case:
    """Inside the transaction: the review of a deployment, which the viewer may decide and which is not decided yet.

    Raises NotFoundError, ConflictError (also REVIEW_EXPIRED), and PolicyError (SELF_REVIEW).
    """
    store, tenant_id = services.store, viewer.tenant_id
    deployment = await current(services, tenant_id, deployment_id)
    review = (await reviews.of_deployments(store, tenant_id, [deployment_id])).get(deployment_id)
    now = moment(milliseconds(await store.now()))
    if deployment.status is not DeploymentStatus.IN_REVIEW or review is None:
        raise _not_in_review(deployment)
    if review.expires_at <= now:
        raise expired()
    await _check_had_no_part(services, viewer, deployment, review)
    votes = (await reviews.votes(store, tenant_id, [review.id]))[review.id]
    by_token = await behind_tokens(store, tenant_id, [vote.token_id for vote in votes])
    return Case(deployment, review, votes, by_token, now, await name_of(services, deployment))


async def cast(services: Services, viewer: Viewer, case: Case, decision: Decision, comment: str | None) -> Case:
    """Store what the viewer says, of exactly this package. The case with it; votes are counted after this.

    Raises ConflictError when they have said something before, in their own name or in another's.
    """
    mine = await behind(services.store, viewer)
    for vote in case.votes:
        if mine & who_voted(vote, case.behind):
            raise _voted(vote, viewer)
    vote = Vote(
        review_id=case.review.id,
        person_id=viewer.user.id,
        decision=decision,
        reviewed_digest=case.deployment.package_digest,
        comment=comment,
        token_id=viewer.token_id,
        at=case.now,
    )
    vote = replace(vote, seal=seal_of_vote(services.vault, case.review, vote))
    if not await review_changes.vote(services.store, viewer.tenant_id, vote):
        raise _voted(vote, viewer)
    votes = (await reviews.votes(services.store, viewer.tenant_id, [case.review.id]))[case.review.id]
    by_token = await behind_tokens(services.store, viewer.tenant_id, [vote.token_id for vote in votes])
    return replace(case, votes=votes, behind=by_token)


def expired() -> ConflictError:
    """The answer to what comes after the deadline of a review."""
    return ConflictError(
        "This review has expired undecided. The package has to be submitted again.",
        current=DeploymentStatus.EXPIRED.value,
        allowed=[DeploymentStatus.IN_REVIEW.value],
        code=ErrorCode.REVIEW_EXPIRED,
    )


async def _check_had_no_part(services: Services, viewer: Viewer, deployment: Deployment, review: Review) -> None:
    store, version_id = services.store, deployment.version_id or ""
    version = (await agent_versions.get_many(store, viewer.tenant_id, [version_id]))[version_id]
    # Also those who had no part when the review began, or were nobody here.
    barred = {*review.excluded, *await excluded_people(store, deployment, version.manifest)}
    if viewer.user.id in barred:
        raise PolicyError(
            "You had a part in what is reviewed here (as submitter, owner, author or signer, or by a token issued in "
            "another's name): somebody else has to review it.",
            policy=SELF_REVIEW,
            code=ErrorCode.SELF_REVIEW,
        )
    if await behind(store, viewer) & barred:
        raise PolicyError(
            "Your token was issued by somebody who had a part in what is reviewed here, so what it does counts as "
            "theirs. Sign in by yourself to review it.",
            policy=SELF_REVIEW,
            code=ErrorCode.SELF_REVIEW,
        )


def _not_in_review(deployment: Deployment) -> ConflictError:
    if deployment.status is DeploymentStatus.EXPIRED:
        return expired()
    return illegal(deployment, {DeploymentStatus.IN_REVIEW}, "reviewed now")


def _voted(vote: Vote, viewer: Viewer) -> ConflictError:
    how = "You have voted" if vote.person_id == viewer.user.id else "You have voted in another's name"
    return ConflictError(f"{how} in this review, and everybody votes once.", current=vote.decision.value)
