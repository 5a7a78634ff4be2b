"""Flags as they are stored, and as OpenFeature reads them."""

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import (
    FlagNotFoundError,
    GeneralError,
    InvalidContextError,
    OpenFeatureError,
    TypeMismatchError,
)

from tests.queries import counted
from tests.storage.worlds import demo, stranger
from windtunnel.domain.flags import FeatureFlag, Flag, RolloutStage
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage import flags
from windtunnel.storage.flag_provider import TableProvider, evaluation_context
from windtunnel.storage.store import Store

NAME = Flag.DEPLOYMENT_PIPELINE
PILOT = FeatureFlag(NAME, True, RolloutStage.PILOT, ("billing", "triage"))


async def _put(store: Store, viewer: Viewer, flag: FeatureFlag) -> None:
    await flags.put(store, viewer.tenant_id, flag, viewer.user.id)


async def test_a_flag_is_read_as_it_was_set_last(store: Store) -> None:
    viewer = await demo(store)
    assert await flags.get(store, viewer.tenant_id, NAME) is None
    assert await flags.list_set(store, viewer.tenant_id) == []
    await _put(store, viewer, FeatureFlag(NAME, False))
    await _put(store, viewer, PILOT)
    assert await flags.get(store, viewer.tenant_id, NAME) == PILOT
    assert await flags.list_set(store, viewer.tenant_id) == [PILOT]


async def test_each_tenant_has_its_own_flags(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    await _put(store, viewer, FeatureFlag(NAME, False))
    assert await flags.get(store, other.tenant_id, NAME) is None
    assert await flags.list_set(store, other.tenant_id) == []


async def test_a_flag_of_another_version_is_passed_over(store: Store) -> None:
    viewer = await demo(store)
    await store.of(viewer.tenant_id).fetch(
        "INSERT INTO feature_flags (tenant_id, name, enabled, stage, pilots, updated_ms, updated_by)"
        " VALUES ($1, 'enable-time-travel', $2, 'ALL', '[]', {now}, $3)",
        viewer.tenant_id,
        True,
        viewer.user.id,
    )
    assert await flags.list_set(store, viewer.tenant_id) == []


@pytest.mark.parametrize(
    ("stored", "agent", "value", "reason"),
    [
        (None, None, True, "DEFAULT"),
        (FeatureFlag(NAME), None, True, "STATIC"),
        (FeatureFlag(NAME, False, RolloutStage.PILOT, ("triage",)), "triage", False, "DISABLED"),
        (PILOT, "triage", True, "TARGETING_MATCH"),
        (PILOT, "search", False, "TARGETING_MATCH"),
        (FeatureFlag(NAME, True, RolloutStage.INTERNAL), "search", True, "TARGETING_MATCH"),
    ],
)
async def test_a_flag_is_resolved_with_its_reason(
    store: Store, stored: FeatureFlag | None, agent: str | None, value: bool, reason: str
) -> None:
    viewer, provider = await demo(store), TableProvider(store)
    if stored:
        await _put(store, viewer, stored)
    with counted(store) as statements:
        details = await provider.resolve_boolean_details_async(NAME, True, evaluation_context(viewer, agent))
    assert (details.value, details.reason, details.variant) == (value, reason, "on" if value else "off")
    assert details.flag_metadata == {"stage": stored.stage.value if stored else "ALL"}
    assert len(statements) == 1


async def test_without_a_row_the_default_of_the_code_holds(store: Store) -> None:
    context = evaluation_context(await demo(store))
    details = await TableProvider(store).resolve_boolean_details_async(NAME, False, context)
    assert (details.value, details.reason) == (False, "DEFAULT")


@pytest.mark.parametrize(
    ("key", "context", "error"),
    [
        ("enable-time-travel", EvaluationContext("me", {"tenantId": "t", "roles": []}), FlagNotFoundError),
        (NAME, None, InvalidContextError),
        (NAME, EvaluationContext("me", {"roles": []}), InvalidContextError),
        (NAME, EvaluationContext("me", {"tenantId": "t"}), InvalidContextError),
        (NAME, EvaluationContext("me", {"tenantId": "t", "roles": "ADMIN"}), InvalidContextError),
        (NAME, EvaluationContext("me", {"tenantId": "t", "roles": ["KING"]}), InvalidContextError),
        (NAME, EvaluationContext("me", {"tenantId": "t", "roles": [], "agentSlug": 1}), InvalidContextError),
    ],
)
async def test_what_cannot_be_resolved_is_an_error_of_openfeature(
    store: Store, key: str, context: EvaluationContext | None, error: type[OpenFeatureError]
) -> None:
    with counted(store) as statements, pytest.raises(error):
        await TableProvider(store).resolve_boolean_details_async(key, True, context)
    assert statements == []


async def test_flags_are_boolean_and_asynchronous(store: Store) -> None:
    provider, context = TableProvider(store), evaluation_context(await demo(store))
    with pytest.raises(GeneralError):
        provider.resolve_boolean_details(NAME, True, context)
    with pytest.raises(TypeMismatchError):
        await provider.resolve_string_details_async(NAME, "x", context)
    with pytest.raises(TypeMismatchError):
        await provider.resolve_integer_details_async(NAME, 1, context)
    with pytest.raises(TypeMismatchError):
        await provider.resolve_float_details_async(NAME, 1.0, context)
    with pytest.raises(TypeMismatchError):
        await provider.resolve_object_details_async(NAME, {}, context)
    with pytest.raises(FlagNotFoundError):
        provider.resolve_string_details("enable-time-travel", "x", context)


async def test_a_database_that_is_down_is_an_error_of_openfeature(store: Store) -> None:
    context = evaluation_context(await demo(store))
    await store.close()
    with pytest.raises(GeneralError) as down:
        await TableProvider(store).resolve_boolean_details_async(NAME, True, context)
    assert down.value.error_message


async def test_the_context_says_who_asks_and_of_which_tenant(store: Store) -> None:
    viewer = await demo(store)
    context = evaluation_context(viewer, "triage")
    assert context.targeting_key == viewer.user.id
    assert context.attributes == {"tenantId": viewer.tenant_id, "roles": sorted(Role), "agentSlug": "triage"}
    assert "agentSlug" not in evaluation_context(viewer).attributes
