"""Exports: each form is what its standard says, and nothing of an entry is lost in it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings
from py_ocsf_models.events.base_event import BaseEvent  # type: ignore[import-untyped]
from py_ocsf_models.objects.api import API  # type: ignore[import-untyped]
from py_ocsf_models.objects.product import Product  # type: ignore[import-untyped]
from py_ocsf_models.objects.resource_details import ResourceDetails  # type: ignore[import-untyped]
from py_ocsf_models.objects.user import User as OcsfUser  # type: ignore[import-untyped]

from tests.domain.test_audit import ENTRIES, EXAMPLE
from windtunnel.domain.audit import AuditAction, AuditEntry, canonical_details, hash_of, is_intact
from windtunnel.domain.audit_forms import WRITTEN, AuditForm, Told, cloudevent, jsonl, ocsf
from windtunnel.domain.ocsf import class_of
from windtunnel.domain.viewers import User

ACTIVITIES = {6003: {1, 2, 3, 4, 99}, 3004: {1, 2, 3, 4, 99}, 6002: {1, 2, 3, 4, 99}}
"""What OCSF 1.5 knows: API Activity, Entity Management, Application Lifecycle."""


def told(entry: AuditEntry, actor: User | None = None) -> Told:
    return Told(replace(entry, hash=hash_of(entry)), "demo", actor)


def read_back(record: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(**{**record, "details": canonical_details(record["details"])})


def recorded(form: AuditForm, line: bytes) -> Mapping[str, Any]:
    """The stored columns in a line; numbers in details as JSON has them, of one kind."""
    value: dict[str, Any] = json.loads(line)
    record = {AuditForm.JSONL: value, AuditForm.CLOUDEVENTS: value.get("data")}.get(form) or value["unmapped"]["entry"]
    floats = json.loads(line, parse_int=float)
    details = {AuditForm.JSONL: floats, AuditForm.CLOUDEVENTS: floats.get("data")}.get(form)
    return {**record, "details": (details or floats["unmapped"]["entry"])["details"]}


@pytest.mark.parametrize("form", AuditForm)
@settings(max_examples=40)
@given(entry=ENTRIES)
def test_every_form_goes_there_and_back(form: AuditForm, entry: AuditEntry) -> None:
    line = WRITTEN[form](told(entry))
    assert b"\n" not in line
    again = read_back(recorded(form, line))
    assert again == replace(entry, hash=hash_of(entry))
    assert is_intact(again)


@settings(max_examples=20)
@given(entry=ENTRIES.filter(lambda entry: bool(entry.id)))
def test_cloudevents_are_valid(entry: AuditEntry) -> None:
    message = HTTPMessage({"content-type": "application/cloudevents+json"}, cloudevent(told(entry)))
    event = from_structured(message, JSONFormat())  # raises for what the specification does not allow
    assert (event.get_id(), event.get_specversion()) == (entry.id, "1.0")
    assert event.get_type() == f"windtunnel.audit.{entry.action.lower()}"
    assert event.get_source() == "/windtunnel/tenants/demo/audit"
    assert event.get_time() == entry.at.replace(microsecond=entry.at.microsecond // 1000 * 1000)


@pytest.mark.parametrize("action", AuditAction)
@pytest.mark.parametrize(
    "actor", [None, User("u", "t", "Ann", None), User("u", "t", "Ann", "ann@example.org")], ids=str
)
def test_ocsf_events_are_valid(action: AuditAction, actor: User | None) -> None:
    entry = replace(EXAMPLE, action=action.value, actor_id=actor.id if actor else None, request_id="request-7")
    event = json.loads(ocsf(told(entry, actor)))
    BaseEvent.model_validate(event)
    assert event["category_uid"] == event["class_uid"] // 1000
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["activity_id"] in ACTIVITIES[event["class_uid"]]
    assert event["time"] == entry.at_ms
    assert event["metadata"]["tenant_uid"] == entry.tenant_id
    if actor:
        assert OcsfUser.model_validate(event["actor"]["user"]).email_addr == actor.email
    else:
        assert event["actor"] == {"app_name": "Windtunnel"}
    match event["class_uid"]:
        case 6003:
            API.model_validate(event["api"])
            assert [ResourceDetails.model_validate(each).uid for each in event["resources"]] == [entry.subject_id]
            assert event["src_endpoint"]
        case 6002:
            assert Product.model_validate(event["app"]).uid == entry.subject_id
        case _:
            assert (event["entity"]["uid"], event["entity"]["type"]) == (entry.subject_id, entry.subject_kind)
            assert event["comment"] == entry.reason


def test_refusals_stand_out() -> None:
    refused = class_of(AuditAction.ACCESS_DENIED)
    assert (refused.uid, refused.status, refused.severity) == (6003, 2, 3)
    assert class_of(AuditAction.SCENARIO_CREATED) == class_of(AuditAction.WEBHOOK_REGISTERED)
    assert class_of(AuditAction.SCENARIO_DELETED).activity == 4


def test_the_lines_of_a_log_can_be_checked_with_nothing_but_the_lines() -> None:
    line = jsonl(told(EXAMPLE))
    record = json.loads(line)
    assert record.pop("hash") == hash_of(EXAMPLE)
    assert line == json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()[:-1] + (
        f',"hash":"{hash_of(EXAMPLE)}"}}'.encode()
    )
