"""What people are told."""

from schema.enums.describe import describe
from windtunnel.domain.notifications import NotificationKind

describe(
    NotificationKind,
    "What a notification tells. Kinds may be added: show the title of an unknown one.",
    {
        "SIMULATION_FINISHED": "Your simulation succeeded or failed.",
        "EXPERIMENT_FINISHED": "Your experiment has its result.",
        "DEPLOYMENT_INVALID": "Your package did not pass validation.",
        "DEPLOYMENT_HELD": "Your submission is held because its agent was rolled back.",
        "DEPLOYMENT_WITHDRAWN": "A submission was withdrawn.",
        "DEPLOYMENT_LAPSED": "An approved submission was not deployed in time.",
        "NO_ELIGIBLE_REVIEWER": "Nobody may review a submission; give somebody the role.",
        "ROLLBACK_FAILED": "A rollback did not succeed.",
        "ENVIRONMENT_FAILED": "Your environment could not be provisioned.",
        "ENVIRONMENT_EXPIRED": "Your environment has reached its end.",
        "ENVIRONMENT_DELETE_STUCK": "Something of an environment could not be removed.",
        "REVIEW_REQUESTED": "A submission waits for your review.",
        "DEPLOYMENT_APPROVED": "Your submission was approved.",
        "DEPLOYMENT_REJECTED": "Your submission was rejected; the findings say why.",
        "DEPLOYMENT_SUCCEEDED": "Your version is live.",
        "DEPLOYMENT_FAILED": "Your version could not be made live.",
        "REVIEW_EXPIRING": "A review ends soon without a decision.",
        "REVIEW_EXPIRED": "A review ended without a decision.",
        "ROLLBACK_STARTED": "An agent is being rolled back.",
        "ROLLBACK_COMPLETED": "An agent was rolled back.",
        "ENVIRONMENT_READY": "Your environment can be used.",
        "ENVIRONMENT_EXPIRING": "Your environment ends soon.",
    },
)
