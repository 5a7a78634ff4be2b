"""Isolation: levels, what is claimed of them, and what a probe means under each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.confinement import Limit, not_enforced
from windtunnel.domain.isolation import (
    Isolation,
    IsolationLevel,
    Mechanism,
    Probe,
    ProbeOutcome,
    claimed,
    claims,
    judge,
    level_of,
)

mechanisms = st.frozensets(st.sampled_from(Mechanism))
abis = st.integers(0, 9)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (set(), IsolationLevel.LOGICAL),
        (set(Mechanism) - {Mechanism.LANDLOCK}, IsolationLevel.LOGICAL),
        ({Mechanism.LANDLOCK}, IsolationLevel.LANDLOCK),
        ({Mechanism.LANDLOCK, Mechanism.SECCOMP, Mechanism.CGROUP}, IsolationLevel.LANDLOCK),
        ({Mechanism.LANDLOCK, Mechanism.NAMESPACES}, IsolationLevel.FULL),
        ({Mechanism.LANDLOCK, Mechanism.BUBBLEWRAP}, IsolationLevel.FULL),
    ],
)
def test_full_needs_namespaces_and_landlock(found: set[Mechanism], level: IsolationLevel) -> None:
    assert level_of(frozenset(found)) is level


def test_a_level_suffices_for_itself_and_for_less() -> None:
    full, landlock, logical = IsolationLevel
    assert [full.suffices(minimum) for minimum in IsolationLevel] == [True, True, True]
    assert [landlock.suffices(minimum) for minimum in IsolationLevel] == [False, True, True]
    assert [logical.suffices(minimum) for minimum in IsolationLevel] == [False, False, True]
    assert landlock.suffices(landlock)


@given(mechanisms, mechanisms, abis)
def test_more_mechanisms_never_claim_less(some: frozenset[Mechanism], more: frozenset[Mechanism], abi: int) -> None:
    def all_claims(found: frozenset[Mechanism]) -> frozenset[Probe]:
        return claimed(Isolation(level_of(found), found, landlock_abi=abi))

    assert all_claims(some) <= all_claims(some | more)


@given(abis, abis)
def test_a_newer_landlock_never_claims_less(one: int, other: int) -> None:
    older, newer = sorted((one, other))
    assert claims(Mechanism.LANDLOCK, older) <= claims(Mechanism.LANDLOCK, newer)


def test_an_old_landlock_claims_neither_tcp_nor_signals() -> None:
    later = {Probe.REACH_API, Probe.REACH_ADDRESS, Probe.BIND_PORT, Probe.SIGNAL_PARENT, Probe.WRITE_OUTSIDE}
    assert claims(Mechanism.LANDLOCK, 1).isdisjoint(later)
    assert later <= claims(Mechanism.LANDLOCK, 6)
    assert claims(Mechanism.LANDLOCK) == frozenset()


def test_full_claims_everything_and_no_landlock_claims_datagrams() -> None:
    assert claimed(Isolation(IsolationLevel.FULL)) == frozenset(Probe)
    assert Probe.SEND_DATAGRAM not in claims(Mechanism.LANDLOCK, 99)
    assert Probe.SEND_DATAGRAM in claims(Mechanism.SECCOMP)


@pytest.mark.parametrize(
    ("level", "succeeded", "outcome"),
    [
        (IsolationLevel.FULL, False, ProbeOutcome.DENIED),
        (IsolationLevel.FULL, True, ProbeOutcome.ALLOWED),
        (IsolationLevel.LOGICAL, False, ProbeOutcome.DENIED),
        (IsolationLevel.LOGICAL, True, ProbeOutcome.NOT_ENFORCED),
    ],
)
def test_a_success_is_allowed_only_against_a_claim(
    level: IsolationLevel, succeeded: bool, outcome: ProbeOutcome
) -> None:
    result = judge(Isolation(level), Probe.BIND_PORT, succeeded=succeeded, detail="Tried.")
    assert (result.probe, result.outcome, result.detail) == (Probe.BIND_PORT, outcome, "Tried.")


@pytest.mark.parametrize(
    ("found", "loose"),
    [
        ({Mechanism.NAMESPACES, Mechanism.TASK_LIMIT}, set()),
        ({Mechanism.BUBBLEWRAP, Mechanism.TASK_LIMIT}, {Limit.FILES}),
        ({Mechanism.NAMESPACES}, {Limit.PROCESSES}),
        ({Mechanism.LANDLOCK, Mechanism.SECCOMP}, {Limit.FILES, Limit.DISK, Limit.PROCESSES}),
    ],
)
def test_limits_that_a_host_cannot_hold_are_owned_up_to(found: set[Mechanism], loose: set[Limit]) -> None:
    assert not_enforced(Isolation(IsolationLevel.LOGICAL, frozenset(found))) == loose
