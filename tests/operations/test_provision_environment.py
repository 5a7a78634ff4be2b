"""Provisioning an environment: a slot, a copy of production, a place in the queue; within rules, on record, once."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.operations.world import demo, process
from tests.storage.environment_worlds import became, gone, stored
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import LimitsRequest
from windtunnel.domain.environments import Environment, EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, PolicyError, QuotaError, ValidationError
from windtunnel.domain.flags import Flag
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.places import key_of
from windtunnel.operations.provision_environment import ProvisionRequest, provision_environment
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.storage import audit, environment_events, environments


async def asked(services: Services, viewer: Viewer, name: str = "try", **given: Any) -> Environment:
    return await provision_environment(services, viewer, ProvisionRequest(name, **given))


async def log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def test_an_environment_is_asked_for_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = replace(await demo(one), request_id="r-1")
        production = await configure_production(one, viewer, [EntryRequest("MODEL", "a")])
        made = await asked(
            one, viewer, "  a try ", lifetime=timedelta(hours=2), limits=LimitsRequest(cpu=2, memory_mb=64)
        )
        assert made == await stored(one.store, made)
        assert (made.name, made.status, made.slot) == ("a try", EnvironmentStatus.PROVISIONING, 1)
        assert (made.created_by, made.request_id) == (viewer.user.id, "r-1")
        assert made.limits == EnvironmentLimits(2.0, 64, 256, 5)
        assert made.expires_at - made.created_at == timedelta(hours=2)
        assert made.provision_by - made.created_at == timedelta(minutes=5)
        assert made.due_at == made.created_at
        assert (made.snapshot, made.snapshot_digest) == (production, production.digest)
        (entry,) = [each for each in await log(one, viewer) if each.action == AuditAction.ENVIRONMENT_REQUESTED]
        assert (entry.subject, entry.actor_id) == (Subject(Kind.ENVIRONMENT, made.id), viewer.user.id)
        assert json.loads(entry.details) == {
            "name": "a try",
            "slot": 1,
            "expiresAt": made.expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "limits": {"cpu": 2, "memoryMb": 64, "storageMb": 256, "maxSimulations": 5},
            "productionRevision": 1,
            "configurationDigest": production.digest,
        }
        (event,) = await environment_events.read(one.store, viewer.tenant_id, made.id)
        assert (event.seq, event.status, event.step, event.progress) == (1, made.status, "request", 0.0)
        assert (event.at, made.last_seq) == (made.created_at, 1)


async def test_without_wishes_it_is_as_usual(database_url: str) -> None:
    async with process(database_url) as one:
        made = await asked(one, await demo(one))
        assert made.expires_at - made.created_at == timedelta(days=1)
        assert made.limits == EnvironmentLimits(1.0, 512, 256, 5)
        assert (made.snapshot.revision, made.snapshot.entries) == (0, ())


async def test_each_has_a_namespace_and_a_password_of_its_own(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        keys = [key_of(one, await asked(one, viewer)) for _ in range(3)]
        assert len({key.namespace for key in keys}) == len({key.password for key in keys}) == 3
        assert {(len(key.namespace), len(key.password)) for key in keys} == {(16, 64)}


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"lifetime": timedelta(minutes=10) - timedelta(microseconds=1)}, ["lifetime"]),
        ({"lifetime": timedelta(days=7, microseconds=1)}, ["lifetime"]),
        ({"lifetime": -timedelta(days=1)}, ["lifetime"]),
        ({"limits": LimitsRequest(cpu=0.09)}, ["limits", "cpu"]),
        ({"limits": LimitsRequest(cpu=float("nan"))}, ["limits", "cpu"]),
        ({"limits": LimitsRequest(memory_mb=63)}, ["limits", "memory_mb"]),
        ({"limits": LimitsRequest(storage_mb=4097)}, ["limits", "storage_mb"]),
        ({"limits": LimitsRequest(max_simulations=0)}, ["limits", "max_simulations"]),
        ({"idempotency_key": ""}, ["idempotency_key"]),
    ],
)
async def test_what_cannot_be_is_refused_and_takes_no_slot(
    sqlite_url: str, wrong: dict[str, Any], path: list[str]
) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        with pytest.raises(ValidationError) as refused:
            await provision_environment(one, viewer, ProvisionRequest(**({"name": "try"} | wrong)))
        assert refused.value.path == ("input", *path)
        assert await environments.count(one.store, viewer.tenant_id) == 0
        assert await log(one, viewer) == []


async def test_the_ends_of_each_range_will_do(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        least = LimitsRequest(0.1, 64, 16, 1)
        most = LimitsRequest(4.0, 4096, 4096, 20)
        short = await asked(one, viewer, "x", lifetime=timedelta(minutes=10), limits=least)
        long = await asked(one, viewer, "x" * 100, lifetime=timedelta(days=7), limits=most)
        assert short.limits == EnvironmentLimits(0.1, 64, 16, 1)
        assert long.limits == EnvironmentLimits(4.0, 4096, 4096, 20)
        assert long.expires_at - long.created_at == timedelta(days=7)


async def test_only_those_who_run_things_ask_for_environments(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for role in Role:
            who = replace(viewer, roles=frozenset({role}))
            if role in {Role.DEVELOPER, Role.OPERATOR, Role.ADMIN}:
                assert (await asked(one, who)).status is EnvironmentStatus.PROVISIONING
            else:
                with pytest.raises(ForbiddenError):
                    await asked(one, who)
        denied = [each for each in await log(one, viewer) if each.action == AuditAction.ACCESS_DENIED]
        assert [json.loads(each.details)["attempted"] for each in denied] == ["provisionEnvironment"] * 2


async def test_ten_are_all_and_one_that_is_gone_makes_room(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        made = [await asked(one, viewer) for _ in range(10)]
        assert [each.slot for each in made] == list(range(1, 11))
        for status in ("PROVISIONING", "DELETING"):
            with pytest.raises(QuotaError) as refused:
                await asked(one, viewer)
            assert (refused.value.limit, refused.value.used) == (10, 10)
            if status == "PROVISIONING":  # on its way out it still has its slot
                made[3] = await became(one.store, made[3], "DELETING", "ended_by = 'PERSON'")
        await gone(one.store, made[3])
        again = await asked(one, viewer)
        assert (again.slot, again.id == made[3].id) == (4, False)
        assert (await asked(one, other)).slot == 1  # another tenant's slots are its own


async def test_of_many_who_ask_at_once_as_many_get_one_as_there_are_slots(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for _ in range(9):
            await asked(one, viewer)
        answers = await asyncio.gather(
            *(asked(who, viewer) for who in (one, two) for _ in range(12)), return_exceptions=True
        )
        made = [each for each in answers if isinstance(each, Environment)]
        refused = [each for each in answers if isinstance(each, QuotaError)]
        assert (len(made), len(refused)) == (1, 23)
        assert made[0].slot == 10
        assert await environments.count(one.store, viewer.tenant_id) == 10
        actions = [each.action for each in await log(one, viewer)]
        assert actions == [AuditAction.ENVIRONMENT_REQUESTED] * 10


async def test_a_key_makes_one_environment_whoever_is_asked(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        answers = await asyncio.gather(
            *(asked(who, viewer, idempotency_key="k") for who in (one, two) for _ in range(4))
        )
        assert len({each.id for each in answers}) == 1
        assert await environments.count(one.store, viewer.tenant_id) == 1
        for other in ({"name": "other"}, {"lifetime": timedelta(hours=1)}, {"limits": LimitsRequest(cpu=2)}):
            with pytest.raises(ConflictError) as mismatch:
                await asked(one, viewer, **({"idempotency_key": "k"} | other))
            assert mismatch.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        usual = await asked(one, viewer, idempotency_key="k", lifetime=timedelta(days=1), limits=LimitsRequest(cpu=1.0))
        assert usual.id == answers[0].id  # to say what is usual is to ask for the same
        theirs = await asked(one, await colleague(one.store, viewer), idempotency_key="k")
        assert theirs.id != usual.id


async def test_a_key_gives_the_environment_as_it_is_by_then(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await asked(one, viewer, idempotency_key="k")
        await became(one.store, made, "READY")
        assert (await asked(one, viewer, idempotency_key="k")).status is EnvironmentStatus.READY
        assert len(await environment_events.read(one.store, viewer.tenant_id, made.id)) == 1


async def test_switched_off_nothing_new_is_made(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await asked(one, viewer, idempotency_key="k")
        await set_feature_flag(one, viewer, Flag.ENVIRONMENTS, enabled=False)
        with pytest.raises(PolicyError) as refused:
            await asked(one, viewer)
        assert (refused.value.code, refused.value.policy) == (ErrorCode.FEATURE_DISABLED, Flag.ENVIRONMENTS)
        assert await environments.count(one.store, viewer.tenant_id) == 1
        assert (await asked(one, viewer, idempotency_key="k")).id == made.id  # nothing new: the answer was lost


async def test_nothing_is_left_of_a_request_that_cannot_be_put_on_record(database_url: str) -> None:
    def failing(statement: str) -> None:
        if "audit" in statement:
            raise RuntimeError("no room in the log")

    async with process(database_url) as one:
        viewer = await demo(one)
        one.store.on_statement = failing
        with pytest.raises(RuntimeError, match="no room"):
            await asked(one, viewer, idempotency_key="k")
        one.store.on_statement = None
        assert await environments.count(one.store, viewer.tenant_id) == 0
        assert (await asked(one, viewer, idempotency_key="k")).slot == 1
