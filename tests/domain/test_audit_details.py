"""Details of audit entries: one spelling, and no way around it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from windtunnel.domain.audit_details import spelt
from windtunnel.domain.entities import Kind, Subject

ADA = Subject(Kind.USER, "01938f2c-7b1e-7abc-8def-0123456789ab")
NOON = datetime(2026, 1, 2, 12, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))


def test_ids_and_times_are_those_of_the_schema() -> None:
    assert spelt({"userId": ADA, "expiresAt": NOON, "to": [{"at": NOON.astimezone(UTC)}], "scenarioId": None}) == {
        "userId": ADA.global_id,
        "expiresAt": "2026-01-02T10:00:00.123Z",
        "to": [{"at": "2026-01-02T10:00:00.123Z"}],
        "scenarioId": None,
    }


@pytest.mark.parametrize(
    "details",
    [
        {"user_id": None},
        {"Name": 1},
        {"": 1},
        {"userId": ADA.id},
        {"to": {"tokenId": "x"}},
        {"to": ({"KEY": 1},)},
        {"at": NOON.replace(tzinfo=None)},
    ],
)
def test_any_other_spelling_is_a_defect(details: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="audit detail"):
        spelt(details)
