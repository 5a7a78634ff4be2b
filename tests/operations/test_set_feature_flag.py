"""Setting a flag: refused to most, in force at once, on record with what it was before."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError, ValidationError
from windtunnel.domain.flags import FeatureFlag, Flag, RolloutStage
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.feature_flags import is_enabled
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.storage import audit, flags

NAME = Flag.DEPLOYMENT_PIPELINE
PILOTS: dict[str, Any] = {"stage": RolloutStage.PILOT, "pilots": ["triage", "billing"]}
ON: dict[str, Any] = {"enabled": True, "stage": "ALL", "pilots": []}


async def _log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def test_a_flag_is_set_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = replace(await demo(one), request_id="r-1")
        off = await set_feature_flag(one, viewer, NAME.value, enabled=False)
        assert off == FeatureFlag(NAME, False)
        assert not await is_enabled(one, viewer, NAME)
        pilot = await set_feature_flag(one, viewer, NAME.value, enabled=True, **PILOTS)
        assert pilot == FeatureFlag(NAME, True, RolloutStage.PILOT, ("billing", "triage"))
        first, second = await _log(one, viewer)
        assert (first.action, first.subject) == (AuditAction.FLAG_CHANGED, Subject(Kind.FEATURE_FLAG, NAME.value))
        assert (first.actor_id, first.request_id) == (viewer.user.id, "r-1")
        assert json.loads(first.details) == {"from": ON, "to": ON | {"enabled": False}}
        assert json.loads(second.details)["from"] == json.loads(first.details)["to"]
        assert json.loads(second.details)["to"] == {"enabled": True, "stage": "PILOT", "pilots": ["billing", "triage"]}


async def test_what_is_left_out_stays(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await set_feature_flag(one, viewer, NAME.value, enabled=True, **PILOTS)
        assert await set_feature_flag(one, viewer, NAME.value, enabled=False) == FeatureFlag(
            NAME, False, RolloutStage.PILOT, ("billing", "triage")
        )
        assert (await set_feature_flag(one, viewer, NAME.value, enabled=False, pilots=[])).pilots == ()


async def test_setting_what_is_set_already_is_not_recorded(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        assert await set_feature_flag(one, viewer, NAME.value, enabled=True) == FeatureFlag(NAME)
        await set_feature_flag(one, viewer, NAME.value, enabled=True, **PILOTS)
        await set_feature_flag(one, viewer, NAME.value, enabled=True, pilots=["billing", "triage", "billing"])
        assert len(await _log(one, viewer)) == 1


async def test_only_an_admin_sets_flags_and_the_attempt_is_recorded(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        others = replace(viewer, roles=frozenset(Role) - {Role.ADMIN})
        with pytest.raises(ForbiddenError):
            await set_feature_flag(one, others, NAME.value, enabled=False)
        assert await flags.get(one.store, viewer.tenant_id, NAME) is None
        assert [entry.action for entry in await _log(one, viewer)] == [AuditAction.ACCESS_DENIED]


async def test_bad_input_changes_nothing(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for name, pilots in (("enable-time-travel", None), (NAME.value, ["Not a slug"])):
            with pytest.raises(ValidationError):
                await set_feature_flag(one, viewer, name, enabled=False, pilots=pilots)
        assert await flags.list_set(one.store, viewer.tenant_id) == []
        assert await _log(one, viewer) == []


async def test_changes_at_once_are_a_chain(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await asyncio.gather(
            *(set_feature_flag(one, viewer, NAME.value, enabled=True, pilots=[f"a{number}"]) for number in range(8))
        )
        log = await _log(one, viewer)
        assert len(log) == 8
        befores, afters = ([json.loads(entry.details)[side] for entry in log] for side in ("from", "to"))
        assert befores == [ON, *afters[:-1]]
