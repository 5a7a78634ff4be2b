"""At most ten versions are retained; what is live, pinned or known to be good is never among those that go."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.agents import RETAINED_STATES, AgentVersion, VersionState
from windtunnel.domain.policy import VERSIONS_PER_AGENT
from windtunnel.domain.retention import to_prune

AT = datetime(2026, 1, 1, tzinfo=UTC)
A_VERSION = AgentVersion("v", "t", "a", "1.0.0", "d" * 64, "m" * 64, {}, "internal", None, "u", AT, bound=True)


def version(number: int, state: VersionState) -> AgentVersion:
    return replace(A_VERSION, id=f"v{number}", version=f"{number}.0.0", state=state, last_release=number)


def ids(versions: tuple[AgentVersion, ...]) -> list[str]:
    return [each.id for each in versions]


def test_the_oldest_goes_and_quarantined_ones_go_first() -> None:
    live = version(11, VersionState.LIVE)
    standby = [version(number, VersionState.STANDBY) for number in range(1, 11)]
    assert ids(to_prune([*standby, live])) == ["v1"]
    assert to_prune([*standby[1:], live]) == ()
    standby[6] = version(7, VersionState.QUARANTINED)
    assert ids(to_prune([*standby, live])) == ["v7"]
    standby[3] = version(4, VersionState.QUARANTINED)
    assert ids(to_prune([live, *reversed(standby)])) == ["v4"]
    assert ids(to_prune([live, *standby], {"v4"})) == ["v7"]


def test_order_is_that_of_releases_and_not_of_numbers_or_clocks() -> None:
    back = replace(version(1, VersionState.STANDBY), last_release=50, first_live_at=AT)
    others = [version(number, VersionState.STANDBY) for number in range(2, 11)]
    assert ids(to_prune([back, *others, version(51, VersionState.LIVE)])) == ["v2"]


@given(
    st.lists(st.sampled_from([each for each in VersionState if each is not VersionState.LIVE]), max_size=25),
    st.integers(0, 25),
    st.sets(st.integers(0, 25), max_size=3),
)
@settings(max_examples=60)
def test_what_must_stay_stays(states: list[VersionState], live_at: int, pinned: set[int]) -> None:
    versions = [version(number, state) for number, state in enumerate(states, start=1)]
    versions.insert(min(live_at, len(versions)), version(99, VersionState.LIVE))
    kept_ids = {f"v{number}" for number in pinned}
    going = set(ids(to_prune(versions, kept_ids)))
    by_id = {each.id: each for each in versions}
    assert all(by_id[each].state in {VersionState.STANDBY, VersionState.QUARANTINED} for each in going)
    assert not going & kept_ids
    standby = [each for each in versions if each.state is VersionState.STANDBY]
    if standby:
        assert max(standby, key=lambda each: each.last_release or 0).id not in going
    left = sum(each.state in RETAINED_STATES for each in versions) - len(going)
    assert left <= max(VERSIONS_PER_AGENT, 2 + len(kept_ids))
    assert not going or left >= VERSIONS_PER_AGENT
