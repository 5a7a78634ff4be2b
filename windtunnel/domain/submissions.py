"""What may be registered and submitted, and how what was submitted may be taken back, in words for people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from windtunnel.domain.deployment_words import NEXT
from windtunnel.domain.deployments import Deployment, DeploymentStatus
from windtunnel.domain.entities import Subject
from windtunnel.domain.errors import ConflictError, NotFoundError, QuotaError, ValidationError
from windtunnel.domain.people import SLUG_FORM, is_slug
from windtunnel.domain.policy import (
    AGENT_DESCRIPTION_MAX_CHARS,
    AGENT_NAME_MAX_CHARS,
    CHANGELOG_MAX_CHARS,
    DEPLOYMENTS_OPEN_PER_TENANT,
    EVIDENCE_PER_DEPLOYMENT,
    REASON_MAX_CHARS,
)
from windtunnel.domain.scenarios import check_storable


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """An agent to be registered; its slug is the second part of the name in the manifests of its packages."""

    slug: str
    name: str
    description: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """A package to be deployed, and what is to show the reviewers it does well (None: an id that names nothing)."""

    agent_id: str
    package_digest: str
    changelog: str | None = None
    evidence: Sequence[Subject | None] = ()
    idempotency_key: str | None = None


def check_agent(request: RegisterRequest) -> RegisterRequest:
    """The request without blanks around its texts, or ValidationError."""
    if not is_slug(request.slug):
        raise ValidationError(SLUG_FORM, rule="bad_slug", path=("input", "slug"))
    name = _text(request.name, "name", "An agent has a name", AGENT_NAME_MAX_CHARS, least=1)
    if not name.isprintable():
        raise ValidationError("The name of an agent is one line.", rule="agent_name", path=("input", "name"))
    description = _text(
        request.description or "", "description", "An agent has a description", AGENT_DESCRIPTION_MAX_CHARS
    )
    return replace(request, name=name, description=description)


def check_submission(request: SubmitRequest) -> SubmitRequest:
    """The request with its changelog trimmed, or ValidationError."""
    changelog = _text(request.changelog or "", "changelog", "A changelog has", CHANGELOG_MAX_CHARS)
    if len(request.evidence) > EVIDENCE_PER_DEPLOYMENT:
        raise ValidationError(
            f"At most {EVIDENCE_PER_DEPLOYMENT} pieces of evidence can be shown. Choose those that tell most.",
            rule="too_much_evidence",
            path=("input", "evidence_ids"),
        )
    return replace(request, changelog=changelog or None)


def check_reason(reason: str | None) -> str | None:
    """The reason without blanks around it, None for an empty one, or ValidationError."""
    return _text(reason or "", "reason", "A reason has", REASON_MAX_CHARS) or None


def no_agent(agent_id: str) -> NotFoundError:
    """The agent does not exist, or belongs to someone else."""
    return NotFoundError("There is no such agent.", resource_id=agent_id, path=("input", "agent_id"))


def no_deployment(deployment_id: str) -> NotFoundError:
    """The deployment does not exist, or belongs to someone else."""
    return NotFoundError("There is no such deployment.", resource_id=deployment_id)


def too_many_open(used: int) -> QuotaError:
    """No more can be submitted before some of the open ones are decided."""
    return QuotaError(
        f"At most {DEPLOYMENTS_OPEN_PER_TENANT} deployments of a tenant can wait for a decision. Wait for reviewers,"
        " or withdraw those that nobody needs.",
        limit=DEPLOYMENTS_OPEN_PER_TENANT,
        used=used,
    )


def illegal(deployment: Deployment, allowed: Collection[DeploymentStatus], what: str) -> ConflictError:
    """The deployment is in a status in which it cannot be `what`, e.g. `withdrawn`."""
    return ConflictError(
        f"The deployment is {deployment.status}: it cannot be {what}. {NEXT[deployment.status]}",
        current=deployment.status.value,
        allowed=sorted(status.value for status in allowed),
    )


def _text(text: str, name: str, subject: str, most: int, least: int = 0) -> str:
    trimmed, path = text.strip(), ("input", name)
    if not least <= len(trimmed) <= most:
        range_of = f"{least} to {most:,}" if least else f"at most {most:,}"
        of = "of " if "has a" in subject else ""
        raise ValidationError(f"{subject} {of}{range_of} characters.", rule=f"{name}_length", path=path)
    check_storable(trimmed, path)
    return trimmed
