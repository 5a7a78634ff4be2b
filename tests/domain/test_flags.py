"""Feature flags: for whom a feature is there, and that widening a rollout takes nothing away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.flags import (
    Asked,
    FeatureFlag,
    Flag,
    RolloutStage,
    check_name,
    check_pilots,
    evaluate,
    with_defaults,
)
from windtunnel.domain.viewers import Role

DEVELOPER, OPERATOR, ADMIN = (frozenset({role}) for role in (Role.DEVELOPER, Role.OPERATOR, Role.ADMIN))
NOBODY: frozenset[Role] = frozenset()
STAGES = list(RolloutStage)

slugs = st.sampled_from(["triage", "billing", "search"])
askers = st.builds(Asked, st.frozensets(st.sampled_from(Role)), st.none() | slugs)


def _flag(stage: RolloutStage, *pilots: str, enabled: bool = True) -> FeatureFlag:
    return FeatureFlag(Flag.DEPLOYMENT_PIPELINE, enabled, stage, pilots)


def test_flags_have_the_names_of_the_specifications_and_are_on_for_everybody() -> None:
    assert [(flag.name.value, flag.enabled, flag.stage) for flag in with_defaults([])] == [
        ("enable-simulation-environments", True, RolloutStage.ALL),
        ("enable-deployment-pipeline", True, RolloutStage.ALL),
    ]
    assert all(evaluate(flag, Asked(NOBODY)) for flag in with_defaults([]))


def test_what_is_stored_goes_before_the_defaults() -> None:
    stored = _flag(RolloutStage.PILOT, "triage", enabled=False)
    assert with_defaults([stored]) == [FeatureFlag(Flag.ENVIRONMENTS), stored]


@pytest.mark.parametrize(
    ("stage", "asked", "there"),
    [
        (RolloutStage.PILOT, Asked(DEVELOPER, "triage"), True),
        (RolloutStage.PILOT, Asked(NOBODY, "triage"), True),
        (RolloutStage.PILOT, Asked(DEVELOPER, "billing"), False),
        (RolloutStage.PILOT, Asked(ADMIN, "billing"), False),
        (RolloutStage.PILOT, Asked(ADMIN), False),
        (RolloutStage.INTERNAL, Asked(DEVELOPER, "triage"), True),
        (RolloutStage.INTERNAL, Asked(DEVELOPER, "billing"), False),
        (RolloutStage.INTERNAL, Asked(DEVELOPER), False),
        (RolloutStage.INTERNAL, Asked(OPERATOR, "billing"), True),
        (RolloutStage.INTERNAL, Asked(ADMIN), True),
        (RolloutStage.INTERNAL, Asked(frozenset({Role.SECURITY_REVIEWER, Role.AUDITOR}), "billing"), False),
        (RolloutStage.ALL, Asked(NOBODY), True),
    ],
)
def test_each_stage_is_for_some(stage: RolloutStage, asked: Asked, there: bool) -> None:
    assert evaluate(_flag(stage, "triage"), asked) is there


@given(askers, st.frozensets(slugs))
def test_a_wider_stage_takes_nothing_away(asked: Asked, pilots: frozenset[str]) -> None:
    there = [evaluate(_flag(stage, *pilots), asked) for stage in STAGES]
    assert there == sorted(there)


@given(askers, st.sampled_from(STAGES), st.frozensets(slugs))
def test_off_is_off_for_everybody(asked: Asked, stage: RolloutStage, pilots: frozenset[str]) -> None:
    assert not evaluate(_flag(stage, *pilots, enabled=False), asked)


def test_unknown_names_are_refused() -> None:
    assert check_name("enable-deployment-pipeline") is Flag.DEPLOYMENT_PIPELINE
    for name in ("", "ENVIRONMENTS", "enable-deployment-pipeline ", "enable-time-travel"):
        with pytest.raises(ValidationError) as refused:
            check_name(name)
        assert (refused.value.rule, refused.value.path) == ("unknown_flag", ("input", "name"))


def test_pilots_are_slugs_each_once() -> None:
    assert check_pilots(["triage", "billing-2", "triage", "a" * 63]) == ("a" * 63, "billing-2", "triage")
    for bad in ("", "Triage", "-a", "a-", "a b", "a" * 64, "ä", "a\n"):
        with pytest.raises(ValidationError) as refused:
            check_pilots(["triage", bad])
        assert (refused.value.rule, refused.value.path) == ("bad_slug", ("input", "pilots", "1")), bad
    with pytest.raises(ValidationError) as refused:
        check_pilots([f"a{number}" for number in range(101)])
    assert refused.value.rule == "too_many_pilots"
