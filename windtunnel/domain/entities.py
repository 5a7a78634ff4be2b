"""What can be named: the kinds of stored things, and one of them."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.opaque import write_opaque


class Kind(StrEnum):
    """The kinds of things that ids name; all but FEATURE_FLAG and PACKAGE are types that implement Node."""

    SCENARIO = "Scenario"
    ARCHITECTURE = "Architecture"
    SIMULATION = "Simulation"
    EXPERIMENT = "Experiment"
    USER = "User"
    TENANT = "Tenant"
    API_TOKEN = "ApiToken"  # noqa: S105 - a kind, no secret
    AUDIT_ENTRY = "AuditEntry"
    NOTIFICATION = "Notification"
    WEBHOOK = "Webhook"
    WEBHOOK_DELIVERY = "WebhookDelivery"
    ENVIRONMENT = "Environment"
    AGENT = "Agent"
    AGENT_VERSION = "AgentVersion"
    DEPLOYMENT = "Deployment"
    REVIEW = "SecurityReview"
    ROLLBACK = "Rollback"
    FEATURE_FLAG = "FeatureFlag"
    PACKAGE = "AgentPackage"


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that an audit entry or a notification is about.

    `id` is the stored one; of a flag its name, of a package its digest.
    """

    kind: Kind
    id: str

    @property
    def global_id(self) -> str:
        """The id by which clients and receivers of webhooks know it."""
        return write_opaque(f"{self.kind}:{self.id}")
