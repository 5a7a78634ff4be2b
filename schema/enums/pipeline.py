"""How versions, deployments, reviews and rollbacks stand."""

from schema.enums.describe import describe
from windtunnel.domain.agents import VersionState
from windtunnel.domain.deployments import DeploymentStatus
from windtunnel.domain.packages import AccessMode
from windtunnel.domain.reviews import Decision, QueueChange, ReviewStatus
from windtunnel.domain.rollbacks import ProductionEventKind, RollbackStatus

describe(
    VersionState,
    "CANDIDATE, then LIVE, then STANDBY, from where a rollback makes it LIVE again; PRUNED in the end.",
    {
        "CANDIDATE": "It was never in production.",
        "LIVE": "It is in production.",
        "STANDBY": "It was in production, and can be restored.",
        "QUARANTINED": "A rollback took it away; a reviewer has to release it before it can be restored.",
        "PRUNED": "It is no longer retained; what is known of it stays.",
    },
)
describe(
    DeploymentStatus,
    "SUBMITTED, VALIDATING, IN_REVIEW, APPROVED, DEPLOYING, LIVE is the way; where it leaves it is said below.",
    {
        "SUBMITTED": "It waits to be validated.",
        "VALIDATING": "Its package is being checked; nothing of it is run.",
        "INVALID": "Its package did not pass; the findings say why. The end.",
        "IN_REVIEW": "Security reviewers have 24 hours to decide.",
        "REJECTED": "A reviewer rejected it; the findings say what would remedy it. The end.",
        "EXPIRED": "Nobody decided in time. The end.",
        "WITHDRAWN": "Its submitter took it back. The end.",
        "APPROVED": "It is deployed by itself, within 24 hours.",
        "HELD": "A rollback of its agent holds it, until somebody lifts the hold.",
        "DEPLOYING": "It is being brought into production.",
        "DEPLOY_FAILED": "It could not be brought into production, which is as it was; it can be tried again.",
        "LIVE": "It is in production.",
        "RETIRED": "A newer one has taken its place. The end, unless a rollback restores it.",
        "ROLLED_BACK": "A rollback took it away. The end, unless a rollback restores it.",
        "LAPSED": "It was approved and not deployed within 24 hours: it needs a new review. The end.",
    },
)
describe(
    ReviewStatus,
    "QUEUED, IN_REVIEW once somebody has claimed it, and then how it ended; deciding needs no claim.",
    {
        "QUEUED": "It waits for a reviewer.",
        "IN_REVIEW": "A reviewer has claimed it; others can decide, too.",
        "APPROVED": "As many reviewers as it needs have approved.",
        "REJECTED": "A reviewer has rejected.",
        "EXPIRED": "It was not decided in time.",
        "WITHDRAWN": "What was to be reviewed was taken back.",
    },
)
describe(
    Decision,
    "What a reviewer says.",
    {"APPROVE": "It may go into production.", "REJECT": "It may not: one is enough."},
    name="ReviewDecision",
)
describe(
    QueueChange,
    "How the review queue moved.",
    {
        "ENTERED": "A review was queued.",
        "CLAIMED": "A reviewer has claimed one.",
        "DECIDED": "One was approved or rejected.",
        "EXPIRED": "One was not decided in time.",
        "WITHDRAWN": "What was to be reviewed was taken back.",
    },
    name="ReviewQueueChange",
)
describe(
    RollbackStatus,
    "RUNNING for at most 60 seconds.",
    {
        "RUNNING": "The version is being restored.",
        "SUCCEEDED": "The version is in production.",
        "FAILED": "It could not be restored in time; `failure` says why.",
    },
)
describe(
    ProductionEventKind,
    "What happened to production.",
    {
        "VERSION_LIVE": "A version went into production.",
        "ROLLBACK_STARTED": "Somebody is rolling an agent back.",
        "ROLLBACK_COMPLETED": "An agent was rolled back.",
        "ROLLBACK_FAILED": "An agent could not be rolled back.",
        "CONFIGURATION_CHANGED": "Somebody changed the configuration.",
    },
)
describe(
    AccessMode,
    "What an agent does with data.",
    {"READ": "It reads.", "WRITE": "It writes.", "READ_WRITE": "It reads and writes."},
)
