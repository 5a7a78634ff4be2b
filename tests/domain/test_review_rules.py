"""The rules of reviews: quorums, risks, what has to be said, and when reviewers are reminded."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.packages.world import MANIFEST
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import Classification, PackageCheck
from windtunnel.domain.review_rules import (
    check_comment,
    check_reason,
    digest_of_json,
    next_look,
    policy_digest,
    policy_for,
    reminders_due,
    risk_of,
)
from windtunnel.domain.reviews import Review, ReviewStatus

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STORE = MANIFEST["data"]["stores"][0]
TOOL = MANIFEST["tools"][0]


def declared(data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    whole = copy.deepcopy(MANIFEST) | changes
    return whole | {"data": whole["data"] | (data or {})}


def test_restricted_data_need_two_and_a_signature() -> None:
    policies = {each: policy_for(each) for each in Classification}
    assert {each: policy.quorum for each, policy in policies.items()} == {
        Classification.PUBLIC: 1,
        Classification.INTERNAL: 1,
        Classification.CONFIDENTIAL: 1,
        Classification.RESTRICTED: 2,
    }
    assert [each for each, policy in policies.items() if policy.signature_required] == [Classification.RESTRICTED]
    assert len({policy_digest(policy) for policy in policies.values()}) == 4
    assert digest_of_json({"b": 1, "a": 2.0}) == digest_of_json({"a": 2, "b": 1})


@pytest.mark.parametrize(
    ("manifest", "risk"),
    [
        (declared(), Severity.LOW),
        (declared({"classification": "confidential"}), Severity.MEDIUM),
        (declared({"classification": "restricted"}), Severity.HIGH),
        (declared({"personalData": True}), Severity.MEDIUM),
        (declared({"stores": [STORE | {"access": "WRITE"}]}), Severity.MEDIUM),
        (declared({"stores": [STORE | {"access": "READ_WRITE", "sensitivity": "RESTRICTED"}]}), Severity.HIGH),
        (declared(tools=[TOOL | {"sideEffects": "write"}]), Severity.MEDIUM),
        (declared(tools=[TOOL | {"sideEffects": "irreversible"}]), Severity.HIGH),
        (declared(tools=[TOOL | {"sideEffects": "irreversible"}] * 2), Severity.CRITICAL),
        (declared(permissions={"network": ["api.example.org:443"]}), Severity.MEDIUM),
        (declared(permissions={"secrets": ["KEY"]}), Severity.MEDIUM),
        (declared(permissions={"subprocess": True}), Severity.HIGH),
        (declared({"classification": "restricted"}, permissions={"subprocess": True}), Severity.CRITICAL),
    ],
)
def test_how_much_there_is_to_look_at(manifest: dict[str, Any], risk: Severity) -> None:
    assert risk_of(manifest, ()) is risk


def test_what_was_found_counts_and_what_is_all_right_does_not() -> None:
    found = PackageCheck("X", passed=False, severity=Severity.MEDIUM)
    right = PackageCheck("Y", passed=True, severity=Severity.CRITICAL)
    assert risk_of(declared(), [right]) is Severity.LOW
    assert risk_of(declared(), [right, found]) is Severity.MEDIUM


def test_what_has_to_be_said() -> None:
    assert check_reason("  twenty characters ok  ") == "twenty characters ok"
    with pytest.raises(ValidationError):
        check_reason("nineteen characters")
    assert check_comment(" ") is check_comment(None) is None
    assert check_comment(" Fine. ") == "Fine."
    for wrong in ("x" * 4_001, "\ud800"):
        with pytest.raises(ValidationError):
            check_comment(wrong)


def test_when_reviewers_are_reminded() -> None:
    review = Review(
        id="r",
        tenant_id="t",
        deployment_id="d",
        status=ReviewStatus.QUEUED,
        risk=Severity.LOW,
        policy=policy_for(Classification.PUBLIC),
        policy_digest="",
        config_digest="",
        excluded=(),
        queued_at=AT,
        expires_at=AT + 24 * HOUR,
        expected_at=AT,
        expected_basis="",
    )
    looks = [next_look(review, reminded) - AT for reminded in range(4)]
    assert looks == [12 * HOUR, 19.2 * HOUR, 22.8 * HOUR, 24 * HOUR]
    moments = (0, 11.99, 12, 19.19, 19.2, 22.8, 30)
    assert [reminders_due(review, AT + hours * HOUR) for hours in moments] == [0, 0, 1, 1, 2, 3, 3]
