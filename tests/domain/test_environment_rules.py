"""Which environments are accepted, and what can be done with one, state by state and moment by moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from windtunnel.domain.environment_rules import LimitsRequest, check_extension, check_lifetime, check_limits, demand
from windtunnel.domain.environments import (
    LIVE_STATUSES,
    USABLE_STATUSES,
    Ending,
    Environment,
    EnvironmentLimits,
    EnvironmentStatus,
)
from windtunnel.domain.errors import ConflictError, ErrorCode, ValidationError
from windtunnel.domain.production import Snapshot

BORN = datetime(2026, 11, 1, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)
ONE = Environment(
    id="e",
    tenant_id="t",
    slot=1,
    namespace="0123456789abcdef",
    name="try",
    status=EnvironmentStatus.READY,
    created_at=BORN,
    created_by="u",
    request_id="",
    provision_by=BORN + timedelta(minutes=5),
    expires_at=BORN + timedelta(hours=1),
    limits=EnvironmentLimits(),
    snapshot=Snapshot.of(0, ()),
    snapshot_digest="0" * 64,
    due_at=BORN,
)


def test_a_lifetime_is_kept_in_milliseconds() -> None:
    assert check_lifetime(timedelta(hours=1, microseconds=1999)) == timedelta(hours=1) + MS


@pytest.mark.parametrize("asked_for", [LimitsRequest(), LimitsRequest(max_simulations=5, cpu=1.0)])
def test_what_nobody_asks_for_is_as_usual(asked_for: LimitsRequest) -> None:
    assert check_limits(asked_for) == EnvironmentLimits()


@pytest.mark.parametrize("status", EnvironmentStatus)
def test_what_is_not_allowed_in_a_state_is_a_conflict(status: EnvironmentStatus) -> None:
    ended = None if status in LIVE_STATUSES else Ending.PERSON
    one = replace(ONE, status=status, ended_by=ended)
    for statuses in (USABLE_STATUSES, {EnvironmentStatus.READY}):
        if status in statuses:
            demand(one, BORN, statuses)
            continue
        with pytest.raises(ConflictError) as refused:
            demand(one, BORN, statuses)
        expected = ErrorCode.ENVIRONMENT_PAUSED if status is EnvironmentStatus.PAUSED else ErrorCode.CONFLICT
        assert (refused.value.code, refused.value.current) == (expected, status)
        assert set(refused.value.allowed) == {each.value for each in statuses}


@pytest.mark.parametrize("status", EnvironmentStatus)
@pytest.mark.parametrize("ended", [None, *Ending])
def test_past_its_end_an_environment_has_expired_unless_a_person_deleted_it(
    status: EnvironmentStatus, ended: Ending | None
) -> None:
    one = replace(ONE, status=status, ended_by=ended)
    for now in (one.expires_at, one.expires_at + timedelta(days=30)):
        if ended is Ending.PERSON and status in USABLE_STATUSES:
            continue  # there is none
        with pytest.raises(ConflictError) as refused:
            demand(one, now, USABLE_STATUSES)
        code = ErrorCode.CONFLICT if ended is Ending.PERSON else ErrorCode.ENVIRONMENT_EXPIRED
        assert refused.value.code is code


@pytest.mark.parametrize("status", [EnvironmentStatus.EXPIRING, EnvironmentStatus.DELETING, EnvironmentStatus.DELETED])
def test_what_expired_has_expired_whatever_its_end_was_to_be(status: EnvironmentStatus) -> None:
    one = replace(ONE, status=status, ended_by=Ending.EXPIRY)
    with pytest.raises(ConflictError) as refused:
        demand(one, BORN, USABLE_STATUSES)
    assert refused.value.code is ErrorCode.ENVIRONMENT_EXPIRED


def test_a_moment_before_its_end_it_can_be_used() -> None:
    demand(ONE, ONE.expires_at - MS, USABLE_STATUSES)


@pytest.mark.parametrize(("ended", "words"), [(Ending.FAILURE, "has failed"), (Ending.PERSON, "was deleted")])
def test_it_is_told_why_it_is_over(ended: Ending, words: str) -> None:
    with pytest.raises(ConflictError, match=words):
        demand(replace(ONE, status=EnvironmentStatus.DELETING, ended_by=ended), BORN, USABLE_STATUSES)


def test_it_is_told_what_can_be_done_next() -> None:
    with pytest.raises(ConflictError, match=r"The environment is PROVISIONING\. Wait until it is READY"):
        demand(replace(ONE, status=EnvironmentStatus.PROVISIONING), BORN, USABLE_STATUSES)
    with pytest.raises(ConflictError, match=r"The environment is READY\. It runs already"):
        demand(ONE, BORN, {EnvironmentStatus.PAUSED})


def test_seven_days_are_all_to_the_millisecond() -> None:
    seven = timedelta(days=7)
    check_extension(ONE, seven, BORN)
    check_extension(ONE, timedelta(days=1), BORN + timedelta(days=6))
    with pytest.raises(ValidationError) as refused:
        check_extension(ONE, seven, BORN + MS)
    assert refused.value.path == ("input", "lifetime")
    with pytest.raises(ValidationError, match="PT59M59S are left"):
        check_extension(ONE, timedelta(hours=1), BORN + seven - timedelta(hours=1) + MS)
