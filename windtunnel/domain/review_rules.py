"""The rules of security reviews: what a review needs, how risky its package is, and what reviewers have to say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import rfc8785

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import Classification, PackageCheck
from windtunnel.domain.policy import (
    REVIEW_DEFAULT_HOURS,
    REVIEW_FINDINGS_MAX,
    REVIEW_REASON_MIN_CHARS,
    REVIEW_REMINDERS,
    REVIEW_TEXT_MAX_CHARS,
    REVIEW_TITLE_MAX_CHARS,
)
from windtunnel.domain.reviews import Finding, Policy, Review
from windtunnel.domain.scenarios import check_storable

_RANKS = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_GUARDED = frozenset({"CONFIDENTIAL", "RESTRICTED"})
_OF_CLASSIFICATION = {
    Classification.PUBLIC: Severity.LOW,
    Classification.INTERNAL: Severity.LOW,
    Classification.CONFIDENTIAL: Severity.MEDIUM,
    Classification.RESTRICTED: Severity.HIGH,
}
_OF_SIDE_EFFECTS = {"write": Severity.MEDIUM, "irreversible": Severity.HIGH}


def policy_for(classification: Classification) -> Policy:
    """What a review needs of a package whose data are so sensitive."""
    restricted = classification is Classification.RESTRICTED
    return Policy(
        quorum=2 if restricted else 1,
        signature_required=restricted,
        classification=classification.value,
        default_hours=REVIEW_DEFAULT_HOURS,
    )


def policy_digest(policy: Policy) -> str:
    """SHA-256 of the policy as RFC 8785 JSON, in hex."""
    return digest_of_json(asdict(policy))


def digest_of_json(value: Mapping[str, Any]) -> str:
    """SHA-256 of a value as RFC 8785 JSON, in hex: of a manifest it is `manifest_digest`."""
    return sha256(rfc8785.dumps(dict(value))).hexdigest()


def risk_of(manifest: Mapping[str, Any], checks: Iterable[PackageCheck]) -> Severity:
    """How much there is to look at: the worst that the manifest declares or the checks found; CRITICAL for two HIGHs.

    `manifest` is one that was read and found valid.
    """
    data, permissions = manifest["data"], manifest["permissions"]
    reasons = [_OF_CLASSIFICATION[Classification(data["classification"])]]
    reasons += [_OF_SIDE_EFFECTS.get(tool["sideEffects"], Severity.LOW) for tool in manifest.get("tools", ())]
    reasons += [
        Severity.HIGH if store["sensitivity"] in _GUARDED else Severity.MEDIUM
        for store in data["stores"]
        if store["access"] != "READ"
    ]
    if data["personalData"]:
        reasons.append(Severity.MEDIUM)
    if permissions.get("subprocess"):
        reasons.append(Severity.HIGH)
    if any(permissions.get(each) for each in ("network", "filesystem", "secrets")):
        reasons.append(Severity.MEDIUM)
    reasons += [check.severity for check in checks if not check.passed]
    worst = max(reasons, key=_RANKS.index)
    return Severity.CRITICAL if worst is Severity.HIGH and reasons.count(worst) > 1 else worst


def check_reason(reason: str) -> str:
    """Why something is rejected, without blanks around it. Raises ValidationError for what says too little."""
    path = ("input", "reason")
    trimmed = reason.strip()
    if not REVIEW_REASON_MIN_CHARS <= len(trimmed) <= REVIEW_TEXT_MAX_CHARS:
        raise ValidationError(
            f"A rejection has a reason of {REVIEW_REASON_MIN_CHARS} to {REVIEW_TEXT_MAX_CHARS:,} characters, "
            "by which the developer knows what to do.",
            rule="reason_length",
            path=path,
        )
    check_storable(trimmed, path)
    return trimmed


def check_comment(comment: str | None) -> str | None:
    """What an approval is given along, without blanks around it; None for nothing. Raises ValidationError."""
    path = ("input", "comment")
    trimmed = (comment or "").strip()
    if len(trimmed) > REVIEW_TEXT_MAX_CHARS:
        raise ValidationError(
            f"A comment has at most {REVIEW_TEXT_MAX_CHARS:,} characters.", rule="comment_length", path=path
        )
    check_storable(trimmed, path)
    return trimmed or None


def check_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What was found, trimmed. Raises ValidationError unless there is something, each with what would remedy it."""
    path = ("input", "findings")
    if not 1 <= len(findings) <= REVIEW_FINDINGS_MAX:
        raise ValidationError(
            f"A rejection names 1 to {REVIEW_FINDINGS_MAX} findings, each with its remediation.",
            rule="findings_number",
            path=path,
        )
    return tuple(
        replace(
            finding,
            title=_said(finding.title, REVIEW_TITLE_MAX_CHARS, (*path, str(place), "title")),
            detail=_said(finding.detail, REVIEW_TEXT_MAX_CHARS, (*path, str(place), "detail")),
            remediation=_said(finding.remediation, REVIEW_TEXT_MAX_CHARS, (*path, str(place), "remediation")),
        )
        for place, finding in enumerate(findings)
    )


def reminders_due(review: Review, now: datetime) -> int:
    """How many reminders of the review should have been sent by `now`."""
    return sum(now >= _reminder_at(review, number) for number in range(len(REVIEW_REMINDERS)))


def next_look(review: Review, reminded: int) -> datetime:
    """When something is next to be done about a review that waits: a reminder, or its end."""
    return _reminder_at(review, reminded) if reminded < len(REVIEW_REMINDERS) else review.expires_at


def _reminder_at(review: Review, number: int) -> datetime:
    lasts: timedelta = review.expires_at - review.queued_at
    return review.queued_at + lasts * REVIEW_REMINDERS[number]


def _said(text: str, most: int, path: tuple[str, ...]) -> str:
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= most:
        raise ValidationError(
            f"Every finding has a {path[-1]} of 1 to {most:,} characters.", rule=f"finding_{path[-1]}", path=path
        )
    check_storable(trimmed, path)
    return trimmed
