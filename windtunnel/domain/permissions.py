"""Which roles may do what: the one table that both enforces access and prints `@requires` in the schema."""

from enum import StrEnum

from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.viewers import Role, Viewer

EVERY_ROLE = frozenset(Role)


class Action(StrEnum):
    """What needs permission; named like the mutation, the subscription, the field or the route that offers it."""

    SIMULATE = "simulate"
    CANCEL_SIMULATION = "cancelSimulation"
    DELETE_SCENARIO = "deleteScenario"
    INJECT_FAILURE = "injectFailure"
    EXPORT_TELEMETRY = "exportTelemetry"
    CALIBRATE_ARCHITECTURE = "POST /architectures/{id}/calibration"
    WATCH_SIMULATION = "simulationEvents"
    DEFINE_ARCHITECTURE = "defineArchitecture"
    RUN_EXPERIMENT = "runExperiment"
    CANCEL_EXPERIMENT = "cancelExperiment"
    WATCH_EXPERIMENT = "experimentEvents"
    MARK_NOTIFICATIONS_READ = "markNotificationsRead"
    WATCH_NOTIFICATIONS = "notificationReceived"
    SET_FEATURE_FLAG = "setFeatureFlag"
    SET_MEMBER_ROLES = "setMemberRoles"
    ISSUE_API_TOKEN = "issueApiToken"  # noqa: S105 - a verb, no secret
    REVOKE_API_TOKEN = "revokeApiToken"  # noqa: S105
    READ_API_TOKENS = "apiTokens"
    REGISTER_WEBHOOK = "registerWebhook"
    DELETE_WEBHOOK = "deleteWebhook"
    READ_WEBHOOKS = "webhooks"
    READ_AUDIT = "auditLog"
    VERIFY_AUDIT = "verifyAudit"
    CONFIGURE_PRODUCTION = "configureProduction"
    PROVISION_ENVIRONMENT = "provisionEnvironment"
    EXTEND_ENVIRONMENT = "extendEnvironment"
    PAUSE_ENVIRONMENT = "pauseEnvironment"
    RESUME_ENVIRONMENT = "resumeEnvironment"
    REFRESH_ENVIRONMENT = "refreshEnvironment"
    DELETE_ENVIRONMENT = "deleteEnvironment"
    WATCH_ENVIRONMENT = "environmentEvents"
    SET_MINIMUM_ISOLATION = "setMinimumIsolation"
    UPLOAD_PACKAGE = "PUT /packages"
    SIGN_PACKAGE = "PUT /packages/{digest}/signature"
    REGISTER_AGENT = "registerAgent"
    SUBMIT_DEPLOYMENT = "submitDeployment"
    WITHDRAW_DEPLOYMENT = "withdrawDeployment"
    WATCH_DEPLOYMENT = "deploymentEvents"
    READ_REVIEW_QUEUE = "reviewQueue"
    WATCH_REVIEW_QUEUE = "reviewQueueEvents"
    CLAIM_REVIEW = "claimReview"
    APPROVE_DEPLOYMENT = "approveDeployment"
    REJECT_DEPLOYMENT = "rejectDeployment"
    RETRY_DEPLOYMENT = "retryDeployment"
    ROLLBACK_DEPLOYMENT = "rollbackDeployment"
    RELEASE_HOLD = "releaseHold"
    RELEASE_QUARANTINE = "releaseQuarantine"
    WATCH_PRODUCTION = "productionEvents"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.SIMULATE: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.CANCEL_SIMULATION: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.DELETE_SCENARIO: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.INJECT_FAILURE: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.EXPORT_TELEMETRY: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.CALIBRATE_ARCHITECTURE: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.WATCH_SIMULATION: EVERY_ROLE,
    Action.DEFINE_ARCHITECTURE: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.RUN_EXPERIMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.CANCEL_EXPERIMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.WATCH_EXPERIMENT: EVERY_ROLE,
    Action.MARK_NOTIFICATIONS_READ: EVERY_ROLE,
    Action.WATCH_NOTIFICATIONS: EVERY_ROLE,
    Action.SET_FEATURE_FLAG: frozenset({Role.ADMIN}),
    Action.SET_MEMBER_ROLES: frozenset({Role.ADMIN}),
    Action.ISSUE_API_TOKEN: frozenset({Role.ADMIN}),
    Action.REVOKE_API_TOKEN: frozenset({Role.ADMIN}),
    Action.READ_API_TOKENS: frozenset({Role.ADMIN}),
    Action.REGISTER_WEBHOOK: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.DELETE_WEBHOOK: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.READ_WEBHOOKS: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.READ_AUDIT: frozenset({Role.AUDITOR, Role.SECURITY_REVIEWER, Role.ADMIN}),
    Action.VERIFY_AUDIT: frozenset({Role.AUDITOR, Role.ADMIN}),
    Action.CONFIGURE_PRODUCTION: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.PROVISION_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.EXTEND_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.PAUSE_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.RESUME_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.REFRESH_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.DELETE_ENVIRONMENT: frozenset({Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}),
    Action.WATCH_ENVIRONMENT: EVERY_ROLE,
    Action.SET_MINIMUM_ISOLATION: frozenset({Role.ADMIN}),
    Action.UPLOAD_PACKAGE: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.SIGN_PACKAGE: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.REGISTER_AGENT: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.SUBMIT_DEPLOYMENT: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.WITHDRAW_DEPLOYMENT: frozenset({Role.DEVELOPER, Role.ADMIN}),
    Action.WATCH_DEPLOYMENT: EVERY_ROLE,
    Action.READ_REVIEW_QUEUE: frozenset({Role.SECURITY_REVIEWER, Role.ADMIN}),
    Action.WATCH_REVIEW_QUEUE: frozenset({Role.SECURITY_REVIEWER, Role.ADMIN}),
    Action.CLAIM_REVIEW: frozenset({Role.SECURITY_REVIEWER}),
    Action.APPROVE_DEPLOYMENT: frozenset({Role.SECURITY_REVIEWER}),
    Action.REJECT_DEPLOYMENT: frozenset({Role.SECURITY_REVIEWER}),
    Action.RETRY_DEPLOYMENT: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.ROLLBACK_DEPLOYMENT: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.RELEASE_HOLD: frozenset({Role.OPERATOR, Role.ADMIN}),
    Action.RELEASE_QUARANTINE: frozenset({Role.SECURITY_REVIEWER}),
    Action.WATCH_PRODUCTION: EVERY_ROLE,
}

ROUTES = frozenset({Action.UPLOAD_PACKAGE, Action.SIGN_PACKAGE, Action.CALIBRATE_ARCHITECTURE})
"""What GraphQL does not offer."""


def allows(viewer: Viewer, action: Action) -> bool:
    """Whether the viewer has one of the roles that `action` needs."""
    return bool(viewer.roles & ALLOWED[action])


def require(viewer: Viewer, action: Action) -> None:
    """Raise ForbiddenError unless the viewer has one of the roles that `action` needs."""
    if not allows(viewer, action):
        needed = sorted(ALLOWED[action])
        roles = f"the role {needed[0]}" if len(needed) == 1 else f"one of the roles {', '.join(needed)}"
        have = f"{', '.join(sorted(viewer.roles))}" if viewer.roles else "none"
        raise ForbiddenError(f"{action} needs {roles}. You have {have}.")
