"""Acting once: the same key, person and request lead to one result, whatever happens at the same time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.operations.world import demo, process, with_token
from tests.storage import worlds
from windtunnel.domain.errors import ConflictError, ErrorCode, QuotaError, ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import IDEMPOTENCY_WINDOW_MS
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.idempotent import Asked, Done, Outcome, once
from windtunnel.operations.services import Services
from windtunnel.storage import scenarios

WHAT = {"text": "Answer mail.", "seed": None}


async def store_scenario(
    services: Services, viewer: Viewer, key: str | None, what: dict[str, object] | None = None
) -> Outcome[str]:
    """An operation that stores something and tells a secret."""

    async def act() -> Done[str]:
        made = await worlds.scenario(services.store, viewer)
        return Done(made.id, "secret")

    return await once(services, viewer, Asked(Action.SIMULATE, key, what or WHAT), act)


async def stored(services: Services, viewer: Viewer) -> int:
    rows = await services.store.of(viewer.tenant_id).fetch(
        "SELECT COUNT(*) AS count FROM scenarios WHERE tenant_id = $1", viewer.tenant_id
    )
    return int(rows[0]["count"])


async def test_a_replay_gives_the_result_and_no_secret(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        first = await store_scenario(services, viewer, "key")
        assert first.made == "secret"
        assert await store_scenario(services, viewer, "key") == Outcome(first.result_id, None)
        assert await stored(services, viewer) == 1
        assert await scenarios.get_many(services.store, viewer.tenant_id, [first.result_id])


async def test_without_a_key_every_request_is_a_new_one(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        outcomes = [await store_scenario(services, viewer, None) for _ in range(3)]
        assert len({outcome.result_id for outcome in outcomes}) == await stored(services, viewer) == 3


async def test_requests_at_once_act_once(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        outcomes = await asyncio.gather(*(store_scenario(each, viewer, "key") for each in (one, two) * 10))
        assert len({outcome.result_id for outcome in outcomes}) == 1
        assert [outcome.made for outcome in outcomes if outcome.made] == ["secret"]
        assert await stored(one, viewer) == 1


async def test_a_key_belongs_to_one_person(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, eve = await demo(services), await worlds.stranger(services.store)
        colleague = await worlds.colleague(services.store, viewer)
        mine = await store_scenario(services, viewer, "key")
        for somebody in (colleague, eve):
            theirs = await store_scenario(services, somebody, "key")
            assert theirs.made == "secret"
            assert theirs.result_id != mine.result_id
            await store_scenario(services, somebody, "other key", {"text": "Something else."})
        promoted = replace(await with_token(services, viewer, Role.ADMIN), request_id="again")
        assert (await store_scenario(services, promoted, "key")).result_id == mine.result_id


async def test_another_request_with_the_same_key_is_refused(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await store_scenario(services, viewer, "key")
        with pytest.raises(ConflictError) as refused:
            await store_scenario(services, viewer, "key", {**WHAT, "seed": 1})
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        assert refused.value.path == ("input", "idempotency_key")
        assert await stored(services, viewer) == 1


async def test_what_was_refused_leaves_the_key_free(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)

        async def refuse() -> Done[str]:
            await worlds.scenario(services.store, viewer)
            raise QuotaError("Too many.", limit=1, used=1)

        with pytest.raises(QuotaError):
            await once(services, viewer, Asked(Action.SIMULATE, "key", WHAT), refuse)
        assert await stored(services, viewer) == 0
        assert (await store_scenario(services, viewer, "key", {"text": "Another."})).made == "secret"


async def test_after_a_day_a_key_is_like_new(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        first = await store_scenario(services, viewer, "key")
        services.store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS + 1)
        again = await store_scenario(services, viewer, "key", {"text": "Another."})
        assert again.made == "secret"
        assert again.result_id != first.result_id


async def test_a_key_has_its_bounds(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        for key in ("", "k" * 201, "\0", "\ud800"):
            with pytest.raises(ValidationError) as refused:
                await store_scenario(services, viewer, key)
            assert refused.value.path == ("input", "idempotency_key")
        assert (await store_scenario(services, viewer, "🗝" * 200)).made


def digest(**what: object) -> str:
    return Asked(Action.SIMULATE, None, what).digest


def test_what_is_asked_for_is_told_apart() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    same = [
        digest(roles=frozenset({Role.ADMIN, Role.AUDITOR}), at=at, name="\ud800", nested=(1, None)),
        digest(nested=[1, None], name="\ud800", at=at, roles=frozenset({Role.AUDITOR, Role.ADMIN})),
    ]
    assert same[0] == same[1]
    assert len(same[0]) == 64
    assert len({same[0], digest(), digest(at=at), digest(at=at + timedelta(seconds=1)), digest(at=None)}) == 5
    with pytest.raises(TypeError):
        digest(what=object())
