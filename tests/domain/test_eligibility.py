"""Which versions a rollback can lead to, and why not the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.domain.test_retention import version
from windtunnel.domain.agents import Ineligible, Pointer, VersionState
from windtunnel.domain.eligibility import EXPLAINED, restorable, rollback_until, why_ineligible
from windtunnel.domain.errors import ConflictError, ErrorCode, PolicyError, ValidationError
from windtunnel.domain.rollback_rules import check_reason, ineligible

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LIVE_SINCE = NOW - timedelta(days=29)
POINTER = Pointer("t", "a", 3, 3, "v9", "d9", "d" * 64, LIVE_SINCE)
TICK = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (VersionState.STANDBY, None),
        (VersionState.CANDIDATE, Ineligible.NEVER_LIVE),
        (VersionState.QUARANTINED, Ineligible.QUARANTINED),
        (VersionState.PRUNED, Ineligible.PRUNED),
    ],
)
def test_the_state_decides(state: VersionState, why: Ineligible | None) -> None:
    assert why_ineligible(version(1, state), POINTER, NOW) is why


def test_what_is_current_or_has_nothing_before_it_is_no_target() -> None:
    assert why_ineligible(version(9, VersionState.LIVE), POINTER, NOW) is Ineligible.IS_CURRENT
    for nothing in (None, Pointer("t", "a")):
        assert why_ineligible(version(1, VersionState.STANDBY), nothing, NOW) is Ineligible.NOTHING_LIVE
        assert why_ineligible(version(1, VersionState.CANDIDATE), nothing, NOW) is Ineligible.NEVER_LIVE
        assert rollback_until(nothing) is None


def test_the_window_is_thirty_days_of_what_is_live_and_not_a_moment_more() -> None:
    until = LIVE_SINCE + timedelta(days=30)
    assert rollback_until(POINTER) == until
    old = version(1, VersionState.STANDBY)
    assert why_ineligible(old, POINTER, until - TICK) is None
    assert why_ineligible(old, POINTER, until) is Ineligible.WINDOW_CLOSED
    assert why_ineligible(old, replace(POINTER, live_since=until), until) is None


def test_what_was_live_last_is_offered_first() -> None:
    versions = [version(number, VersionState.STANDBY) for number in (2, 7, 5)]
    versions += [version(9, VersionState.LIVE), version(8, VersionState.QUARANTINED)]
    assert [each.id for each in restorable(versions, POINTER, NOW)] == ["v7", "v5", "v2"]
    assert restorable(versions, POINTER, NOW + timedelta(days=2)) == ()


def test_every_reason_is_explained_and_has_its_code() -> None:
    assert EXPLAINED.keys() == set(Ineligible)
    codes = {why: ineligible(version(1, VersionState.STANDBY), why).code for why in Ineligible}
    assert codes.pop(Ineligible.WINDOW_CLOSED) is ErrorCode.ROLLBACK_WINDOW_CLOSED
    assert codes.pop(Ineligible.PRUNED) is ErrorCode.VERSION_PRUNED
    assert set(codes.values()) == {ErrorCode.ROLLBACK_INELIGIBLE}
    assert isinstance(ineligible(version(1, VersionState.STANDBY), Ineligible.WINDOW_CLOSED), PolicyError)
    assert isinstance(ineligible(version(1, VersionState.PRUNED), Ineligible.PRUNED), ConflictError)


@pytest.mark.parametrize("reason", ["123456789", "          1         ", "x" * 2_001, "lone \ud800 surrogate"])
def test_a_reason_says_something_that_can_be_kept(reason: str) -> None:
    with pytest.raises(ValidationError):
        check_reason(reason)


def test_a_reason_is_kept_without_blanks_around_it() -> None:
    assert check_reason("  1234567890\n") == "1234567890"
