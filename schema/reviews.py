"""Security reviews: what is to be decided, by when, who decided what, and why."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import deployments, viewers
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds, named, node_of
from schema.packages import PackageCheck
from schema.pages import Connection
from schema.viewers import User
from windtunnel.domain import reviews as domain
from windtunnel.domain import viewers as people
from windtunnel.domain.failures import Severity
from windtunnel.domain.reviews import Decision, QueueChange, ReviewStatus


@strawberry.type(description="A simulation or experiment that ran exactly what is reviewed.")
class ReviewEvidence:
    """Shows `reviews.Evidence`."""

    summary: str = strawberry.field(description="How it went, as it was when it was offered.")
    source: strawberry.Private[domain.Evidence]

    @resolved("What ran it; null when that was deleted since.")
    async def subject(self, info: Info) -> Node | None:
        """Loaded together with those of its neighbours."""
        kind = self.source.kind
        return await node_of(info, Kind(kind), self.source.subject_id) if kind in Kind.__members__.values() else None

    @resolved("Whether the environment that it ran in is not like production any more.")
    async def stale(self, info: Info) -> bool:
        """Compared when asked for."""
        return await deployments.is_stale(info.context, self.source)

    @classmethod
    def of(cls, evidence: domain.Evidence) -> Self:
        """The evidence as data."""
        return cls(summary=evidence.summary, source=evidence)


@strawberry.type(description="What one person said in a review.")
class ReviewVote:
    """Shows `reviews.Vote`."""

    decision: Decision = strawberry.field(description="What they said.")
    at: datetime = strawberry.field(description="When.")
    comment: str | None = strawberry.field(description="What they added.")
    source: strawberry.Private[domain.Vote]

    @resolved("Who.")
    async def reviewer(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.person_id))

    @classmethod
    def of(cls, vote: domain.Vote) -> Self:
        """The vote as data."""
        return cls(decision=vote.decision, at=vote.at, comment=vote.comment, source=vote)


@strawberry.type(description="What a reviewer found, and what would remedy it.")
class ReviewFinding:
    """Shows `reviews.Finding`."""

    severity: Severity = strawberry.field(description="How bad it is.")
    title: str = strawberry.field(description="What it is, in a line.")
    detail: str = strawberry.field(description="More about it.")
    remediation: str = strawberry.field(description="What to do about it.")

    @classmethod
    def of(cls, finding: domain.Finding) -> Self:
        """The finding as data."""
        return cls(
            severity=finding.severity, title=finding.title, detail=finding.detail, remediation=finding.remediation
        )


@strawberry.type(
    description="The security review of a deployment: without as many approvals as it needs, nothing runs."
)
class SecurityReview(Node):
    """Shows `reviews.Review`."""

    status: ReviewStatus = strawberry.field(description="How it stands.")
    risk: Severity = strawberry.field(description="How much there is to look at, from what the manifest declares.")
    required_approvals: int = strawberry.field(description="How many people have to approve; set when it was queued.")
    queued_at: datetime = strawberry.field(description="When it was queued.")
    expected_by: datetime = strawberry.field(description="When a decision is expected.")
    expected_basis: str = strawberry.field(
        description="On what basis that is expected: recent reviews, or the policy's default."
    )
    expires_at: datetime = strawberry.field(description="24 hours after `queuedAt`: undecided, it expires.")
    decided_at: datetime | None = strawberry.field(description="When it was over; null before.")
    comment: str | None = strawberry.field(description="Why it was decided so, in the words of who decided.")
    source: strawberry.Private[domain.Review]

    # By name: deployments show their review, so their module imports this one.
    @resolved("What is reviewed.", shown_as=LazyType("Deployment", "schema.deployments"))
    async def deployment(self, info: Info) -> Node:
        """Loaded together with those of its neighbours."""
        return await named(info, Kind.DEPLOYMENT, self.source.deployment_id)

    @resolved("Who has claimed it; null as long as nobody has.")
    async def claimed_by(self, info: Info) -> User | None:
        """Loaded together with those of its neighbours."""
        claimed_by = self.source.claimed_by
        return None if claimed_by is None else User.of(await viewers.user(info.context, claimed_by))

    @resolved("What was said, the first first.")
    async def votes(self, info: Info) -> list[ReviewVote]:
        """Loaded together with those of its neighbours."""
        return [ReviewVote.of(each) for each in await deployments.votes(info.context, self.source)]

    @resolved("Its place in the queue, from 1: the first to expire comes first; null when it does not wait.")
    async def queue_position(self, info: Info) -> int | None:
        """Counted when asked for."""
        return await deployments.queue_place(info.context, self.source)

    @resolved("What the reviewers found; one that is rejected has at least one.")
    async def findings(self, info: Info) -> list[ReviewFinding]:
        """Loaded together with those of its neighbours."""
        return [ReviewFinding.of(each) for each in await deployments.findings(info.context, self.source)]

    @resolved("What the checks of the package found, passed ones included.")
    async def automated_checks(self, info: Info) -> list[PackageCheck]:
        """Stored with the deployment."""
        found = await deployments.deployment(info.context, self.source.deployment_id)
        return [PackageCheck.of(each) for each in (found.checks if found else ())]

    @resolved("What ran exactly this package, offered by who submitted it.")
    async def evidence(self, info: Info) -> list[ReviewEvidence]:
        """Loaded together with those of its neighbours."""
        return [ReviewEvidence.of(each) for each in await deployments.evidence(info.context, self.source)]

    @classmethod
    def of(cls, review: domain.Review) -> Self:
        """The review as data."""
        return cls(
            id=encode(Kind.REVIEW, review.id),
            status=review.status,
            risk=review.risk,
            required_approvals=review.policy.quorum,
            queued_at=review.queued_at,
            expected_by=review.expected_at,
            expected_basis=review.expected_basis,
            expires_at=review.expires_at,
            decided_at=review.decided_at,
            comment=review.comment,
            source=review,
        )


@finds(Kind.REVIEW)
async def review_of(info: Info, raw: str) -> SecurityReview | None:
    """The review with this stored id."""
    return optional(SecurityReview.of, await deployments.review(info.context, raw))


@strawberry.type(description="A review and its place in the queue.")
class SecurityReviewEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after`.")
    node: SecurityReview = strawberry.field(description="The review.")


@strawberry.type(description="One page of reviews, the first to expire first.")
class SecurityReviewConnection(Connection):
    """Shows a page of `reviews.Review`."""

    @resolved("The reviews, each with its cursor.")
    def edges(self) -> list[SecurityReviewEdge]:
        """Every item with its cursor."""
        return [
            SecurityReviewEdge(cursor=cursor, node=SecurityReview.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The reviews.")
    def nodes(self) -> list[SecurityReview]:
        """Every item."""
        return [SecurityReview.of(item) for item in self.page.items]


@strawberry.input(description="Which reviews are wanted: all conditions hold together.")
class ReviewFilter:
    """Conditions on reviews."""

    statuses: list[ReviewStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Those in one of these states; those that wait when absent."
    )
    assigned_to_me: bool | None = strawberry.field(
        default=strawberry.UNSET, description="When true, those that the viewer has claimed."
    )
    min_risk: Severity | None = strawberry.field(
        default=strawberry.UNSET, description="Those of this risk or a higher one."
    )

    def wanted(self, viewer: people.Viewer) -> domain.ReviewFilter:
        """The conditions as plain values."""
        statuses = given(self.statuses)
        return domain.ReviewFilter(
            statuses=None if statuses is None else frozenset(statuses),
            claimed_by=viewer.user.id if given(self.assigned_to_me) else None,
            min_risk=given(self.min_risk),
        )


@strawberry.type(description="How the review queue moved. `seq` starts at 1 and has no gaps.")
class ReviewQueueEvent:
    """Shows `reviews.QueueEvent`."""

    seq: int = strawberry.field(description="Its number among the moves of the tenant's queue.")
    at: datetime = strawberry.field(description="When it was stored.")
    change: QueueChange = strawberry.field(description="What happened.")
    source: strawberry.Private[domain.QueueEvent]

    @resolved("The review, as it is now.", shown_as=LazyType("SecurityReview", "schema.reviews"))
    async def review(self, info: Info) -> Node:
        """Read when asked for."""
        return await named(info, Kind.REVIEW, self.source.review_id)

    @classmethod
    def of(cls, event: domain.QueueEvent) -> Self:
        """The event as data."""
        return cls(seq=event.seq, at=event.at, change=event.change, source=event)
