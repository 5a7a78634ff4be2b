"""Which versions of an agent are no longer retained, once there are too many."""

from collections.abc import Collection, Iterable

from windtunnel.domain.agents import RETAINED_STATES, AgentVersion, VersionState
from windtunnel.domain.policy import VERSIONS_PER_AGENT


def to_prune(
    versions: Iterable[AgentVersion], pinned: Collection[str] = (), keep: int = VERSIONS_PER_AGENT
) -> tuple[AgentVersion, ...]:
    """Those of an agent's versions that go, so that at most `keep` are retained: quarantined ones first, then the rest.

    Of each, what was live longest ago goes first, by the order of releases and not by the clock. Never gone is what is
    live, what was live last and can be restored, and what is `pinned` (by id): then more than `keep` may stay.
    """
    retained = [version for version in versions if version.state in RETAINED_STATES]
    known_good = max(
        (version for version in retained if version.state is VersionState.STANDBY), key=_release, default=None
    )
    kept = {*pinned, *([known_good.id] if known_good else [])}
    expendable = sorted(
        (version for version in retained if version.state is not VersionState.LIVE and version.id not in kept),
        key=lambda version: (version.state is not VersionState.QUARANTINED, _release(version)),
    )
    return tuple(expendable[: max(0, len(retained) - keep)])


def _release(version: AgentVersion) -> int:
    return version.last_release or 0
