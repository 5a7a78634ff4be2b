"""Asking for features: at once, in every process, and with a default that is explained."""

from dataclasses import replace

import pytest
from openfeature import api
from structlog.testing import capture_logs

from tests.operations.world import demo, process
from tests.queries import counted
from tests.storage.worlds import stranger
from windtunnel.domain.errors import ErrorCode, PolicyError
from windtunnel.domain.flags import FeatureFlag, Flag, RolloutStage
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.feature_flags import is_enabled, require_enabled
from windtunnel.operations.services import Services
from windtunnel.storage import flags

NAME = Flag.DEPLOYMENT_PIPELINE


async def _set(services: Services, viewer: Viewer, flag: FeatureFlag) -> None:
    await flags.put(services.store, viewer.tenant_id, flag, viewer.user.id)


async def test_what_is_switched_off_is_off_at_once_in_every_process(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        assert await is_enabled(two, viewer, NAME)
        await _set(one, viewer, FeatureFlag(NAME, False))
        assert not await is_enabled(two, viewer, NAME)
        assert await is_enabled(two, viewer, Flag.ENVIRONMENTS)
        await _set(one, viewer, FeatureFlag(NAME, True))
        assert await is_enabled(two, viewer, NAME)


async def test_a_flag_of_one_tenant_is_none_of_anothers(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        await _set(one, viewer, FeatureFlag(NAME, False))
        assert await is_enabled(one, other, NAME)


async def test_stages_look_at_the_agent_and_at_who_asks(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        developer = replace(viewer, roles=frozenset({Role.DEVELOPER}))
        await _set(one, viewer, FeatureFlag(NAME, True, RolloutStage.INTERNAL, ("triage",)))
        with counted(one.store) as statements:
            assert await is_enabled(one, viewer, NAME, "billing")
            assert not await is_enabled(one, developer, NAME, "billing")
            assert await is_enabled(one, developer, NAME, "triage")
        assert len(statements) == 3


async def test_what_is_switched_off_is_refused(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await require_enabled(one, viewer, NAME)
        await _set(one, viewer, FeatureFlag(NAME, False))
        with pytest.raises(PolicyError) as refused:
            await require_enabled(one, viewer, NAME)
        assert (refused.value.code, refused.value.policy) == (ErrorCode.FEATURE_DISABLED, NAME.value)


async def test_two_databases_in_one_process_never_meet(sqlite_url: str, postgres_database_url: str) -> None:
    async with process(sqlite_url) as one, process(postgres_database_url) as two:
        mine, theirs = await demo(one), await demo(two)
        await _set(one, mine, FeatureFlag(NAME, False))
        assert not await is_enabled(one, mine, NAME)
        assert await is_enabled(two, theirs, NAME)
        assert one.flags.domain != two.flags.domain
        assert api.get_client().provider not in {one.flags.provider, two.flags.provider}


async def test_when_flags_cannot_be_read_the_default_holds_and_the_reason_is_logged(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await _set(one, viewer, FeatureFlag(NAME, False))
        await one.store.close()
        with capture_logs() as logs:
            assert await is_enabled(one, viewer, NAME)
        (entry,) = logs
        assert (entry["event"], entry["flag"], entry["value"]) == ("flag_default", NAME.value, True)
        assert entry["reason"]


async def test_nothing_of_a_closed_store_stays_behind(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        await _set(one, viewer, FeatureFlag(NAME, False))
    assert one.flags.provider.get_metadata().name != "windtunnel-table"
    assert await is_enabled(one, viewer, NAME)
