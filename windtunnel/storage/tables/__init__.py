"""The tables, one class each. Keys, checks, references, indexes and triggers are in the SQL of `migrations`."""

from piccolo.table import Table

from windtunnel.storage.tables.access import (
    ApiTokens,
    AuditEntries,
    FeatureFlags,
    IdempotencyKeys,
    Identities,
    Memberships,
    Tenants,
    Users,
)
from windtunnel.storage.tables.environments import EnvironmentEvents, EnvironmentResources, Environments
from windtunnel.storage.tables.experimenting import ExperimentChunks, ExperimentEvents, Experiments
from windtunnel.storage.tables.news import Inboxes, Notifications, WebhookDeliveries, Webhooks
from windtunnel.storage.tables.packages import Packages, PackageSignatures
from windtunnel.storage.tables.pipeline import Agents, AgentVersions, DeploymentEvents, Deployments
from windtunnel.storage.tables.production import Production, ProductionEntries
from windtunnel.storage.tables.releasing import Pointers, ProductionEvents, ProductionFollowers, Rollbacks
from windtunnel.storage.tables.reviewing import ReviewEvidence, ReviewFindings, ReviewQueueEvents, Reviews, ReviewVotes
from windtunnel.storage.tables.revisions import SchemaRevisions
from windtunnel.storage.tables.simulating import (
    Architectures,
    Scenarios,
    SimulationCommands,
    SimulationEvents,
    Simulations,
)

__all__ = [
    "TABLES",
    "AgentVersions",
    "Agents",
    "ApiTokens",
    "Architectures",
    "AuditEntries",
    "DeploymentEvents",
    "Deployments",
    "EnvironmentEvents",
    "EnvironmentResources",
    "Environments",
    "ExperimentChunks",
    "ExperimentEvents",
    "Experiments",
    "FeatureFlags",
    "IdempotencyKeys",
    "Identities",
    "Inboxes",
    "Memberships",
    "Notifications",
    "PackageSignatures",
    "Packages",
    "Pointers",
    "Production",
    "ProductionEntries",
    "ProductionEvents",
    "ProductionFollowers",
    "ReviewEvidence",
    "ReviewFindings",
    "ReviewQueueEvents",
    "ReviewVotes",
    "Reviews",
    "Rollbacks",
    "Scenarios",
    "SchemaRevisions",
    "SimulationCommands",
    "SimulationEvents",
    "Simulations",
    "Tenants",
    "Users",
    "WebhookDeliveries",
    "Webhooks",
]

TABLES: tuple[type[Table], ...] = (
    Tenants,
    Users,
    Memberships,
    Identities,
    ApiTokens,
    AuditEntries,
    FeatureFlags,
    IdempotencyKeys,
    Scenarios,
    Architectures,
    Simulations,
    SimulationEvents,
    SimulationCommands,
    Inboxes,
    Notifications,
    Webhooks,
    WebhookDeliveries,
    Packages,
    PackageSignatures,
    Production,
    ProductionEntries,
    Environments,
    EnvironmentResources,
    EnvironmentEvents,
    Agents,
    AgentVersions,
    Deployments,
    DeploymentEvents,
    Reviews,
    ReviewVotes,
    ReviewFindings,
    ReviewEvidence,
    Pointers,
    Rollbacks,
    ProductionEvents,
    ReviewQueueEvents,
    ProductionFollowers,
    Experiments,
    ExperimentEvents,
    ExperimentChunks,
    SchemaRevisions,
)
