"""What a rollback can lead to: which versions, until when, and why not the others."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from windtunnel.domain.agents import AgentVersion, Ineligible, Pointer, VersionState
from windtunnel.domain.policy import ROLLBACK_WINDOW_MS

ROLLBACK_WINDOW = timedelta(milliseconds=ROLLBACK_WINDOW_MS)

_BY_STATE = {
    VersionState.CANDIDATE: Ineligible.NEVER_LIVE,
    VersionState.QUARANTINED: Ineligible.QUARANTINED,
    VersionState.PRUNED: Ineligible.PRUNED,
    VersionState.LIVE: Ineligible.IS_CURRENT,
}

EXPLAINED = {
    Ineligible.IS_CURRENT: "It is in production now.",
    Ineligible.NEVER_LIVE: "It was never in production.",
    Ineligible.PRUNED: "It is no longer retained: only the last ten versions are.",
    Ineligible.QUARANTINED: "A rollback took it away. A security reviewer has to release it first.",
    Ineligible.WINDOW_CLOSED: "What is in production went live more than 30 days ago: no rollback leads back from it.",
    Ineligible.NOTHING_LIVE: "Nothing of this agent is in production.",
}
"""Why, in words for people."""


def rollback_until(pointer: Pointer | None) -> datetime | None:
    """Until when, exclusively, what is in production can be taken back; None when nothing is."""
    return None if pointer is None or pointer.live_since is None else pointer.live_since + ROLLBACK_WINDOW


def why_ineligible(version: AgentVersion, pointer: Pointer | None, now: datetime) -> Ineligible | None:
    """Why the version cannot be restored now; None when it can. `pointer` is what is in production of its agent."""
    until = rollback_until(pointer)
    if pointer is None or until is None:
        return _BY_STATE.get(version.state, Ineligible.NOTHING_LIVE)
    if version.id == pointer.version_id:
        return Ineligible.IS_CURRENT
    if version.state in _BY_STATE:
        return _BY_STATE[version.state]
    return Ineligible.WINDOW_CLOSED if now >= until else None


def restorable(versions: Iterable[AgentVersion], pointer: Pointer | None, now: datetime) -> tuple[AgentVersion, ...]:
    """Those of an agent's versions that can be restored now; what was in production last comes first."""
    return tuple(
        sorted(
            (version for version in versions if why_ineligible(version, pointer, now) is None),
            key=lambda version: version.last_release or 0,
            reverse=True,
        )
    )
