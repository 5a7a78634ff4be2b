"""The people of a tenant who have a part in its pipeline, and what they do again and again."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.processes import Api
from tests.promises.pipeline import Person, hired

VERSIONS = """query ($id: ID!) { agent(by: {id: $id}) {
  productionVersion { version }
  rollbackTargets { id version }
  versions(first: 20) { totalCount nodes {
    id version isLive state changelog createdAt deployedAt rollbackEligible ineligibleReason
    submittedBy { email } package { digest sizeBytes manifest } dataAccess { resource justification } } } } }"""
ROLLBACK = "rollback { id status reason durationMs notifiedWorkflows fromVersion { version } toVersion { version } }"


class People(NamedTuple):
    """Everybody who has a part in it."""

    dev: Person
    reviewer: Person
    second: Person
    operator: Person
    admin: Person
    auditor: Person


def people_of(api: Api, data_dir: Path) -> People:
    return People(
        hired(api, data_dir, "ada", "DEVELOPER"),
        hired(api, data_dir, "bob", "SECURITY_REVIEWER"),
        hired(api, data_dir, "cyd", "SECURITY_REVIEWER"),
        hired(api, data_dir, "dan", "OPERATOR"),
        hired(api, data_dir, "eve", "ADMIN", "DEVELOPER"),
        hired(api, data_dir, "flo", "AUDITOR"),
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def trail(people: People, *actions: str) -> list[dict[str, Any]]:
    """What the audit log has of these actions, the newest first."""
    query = """query ($actions: [AuditAction!]) { auditLog(first: 100, filter: {actions: $actions}) {
      nodes { action reason actor { email } subject { id } details } } }"""
    nodes: list[dict[str, Any]] = people.auditor.ask(query, actions=list(actions) or None)["auditLog"]["nodes"]
    return nodes


def waiting(people: People, slug: str, version: str = "1.0.0", agent_id: str | None = None, **given: Any) -> Any:
    """A deployment in review."""
    made = people.dev.submit(agent_id or people.dev.registered(slug), slug, version, **given)["deployment"]
    return people.dev.until(made["id"], "IN_REVIEW")


def approve(person: Person, deployment: Any, **given: Any) -> Any:
    digest = deployment["package"]["digest"]
    return person.done("approveDeployment", deploymentId=deployment["id"], reviewedDigest=digest, **given)["deployment"]
