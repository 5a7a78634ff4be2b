"""When a review is expected to be decided, and on what basis: from how long the last ones like it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from windtunnel.domain.policy import (
    REVIEW_DEFAULT_HOURS,
    REVIEW_EXPECTED_FROM_DECISIONS,
    REVIEW_WITHIN_MS,
)

REVIEW_WITHIN = timedelta(milliseconds=REVIEW_WITHIN_MS)
_SHARE = 0.75
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a tenant's reviews went up to a moment.

    `took` are the last ones with the `classification` that were decided, `waiting` counts those undecided then, and
    `reviewers` the people who may decide.
    """

    classification: str | None
    took: Sequence[timedelta] = ()
    waiting: int = 0
    reviewers: int = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """When a decision is expected, and on what basis, in words."""

    at: datetime
    basis: str


def expected_review(submitted_at: datetime, pace: Pace, *, default_hours: float = REVIEW_DEFAULT_HOURS) -> Expectation:
    """Three quarters of the last ones were decided within so long; longer when each reviewer has several waiting.

    With too few decisions it is the policy's default. Never later than the review's end, 24 hours.
    """
    packages = f"{pace.classification} packages" if pace.classification else "packages like this one"
    if pace.classification is None or len(pace.took) < REVIEW_EXPECTED_FROM_DECISIONS:
        span = timedelta(hours=default_hours)
        few = (
            f"The policy's default of {_words(span)}: fewer than {REVIEW_EXPECTED_FROM_DECISIONS} reviews of {packages}"
        )
        return Expectation(submitted_at + min(span, REVIEW_WITHIN), f"{few} have been decided so far.")
    took = sorted(pace.took)
    usual = took[ceil(_SHARE * len(took)) - 1]
    basis = f"Three quarters of the last {len(took)} reviews of {packages} were decided within {_words(usual)}"
    load = (pace.waiting + 1) / max(1, pace.reviewers)
    if load > 1:
        ahead = f"{pace.waiting} {'other waits' if pace.waiting == 1 else 'others wait'}"
        who = f"{pace.reviewers or 'no'} {'reviewer' if pace.reviewers == 1 else 'reviewers'}"
        basis += f"; {ahead}, and there {'is' if pace.reviewers == 1 else 'are'} {who}"
    span = usual * max(1.0, load)
    if span > REVIEW_WITHIN:
        return Expectation(submitted_at + REVIEW_WITHIN, f"{basis}. After {_words(REVIEW_WITHIN)} it expires.")
    return Expectation(submitted_at + span, f"{basis}.")


def _words(span: timedelta) -> str:
    """A span for people, in hours and minutes, rounded up."""
    hours, minutes = divmod(max(1, -(-span // _MINUTE)), 60)
    parts = [f"{hours} h"] if hours else []
    if minutes:
        parts.append(f"{minutes} min")
    return " ".join(parts)
