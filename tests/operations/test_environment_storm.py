"""Everybody does everything with a few environments at once, while a caretaker makes them and takes them away."""

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta
from itertools import pairwise
from random import Random

from app.caretaker import Caretaker
from tests.operations.care import asked, entries, left_of
from tests.operations.environment_verbs import VERBS
from tests.operations.world import demo, process
from tests.storage.environment_worlds import stored
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.services import Services
from windtunnel.operations.watch_environment import watch_environment
from windtunnel.storage import environments

FOLLOWS = {
    "PROVISIONING": {"READY", "FAILED", "DELETING"},
    "READY": {"PAUSED", "EXPIRING", "DELETING", "FAILED"},
    "PAUSED": {"READY", "EXPIRING", "DELETING", "FAILED"},
    "EXPIRING": {"DELETING"},
    "FAILED": {"DELETING"},
    "DELETING": {"DELETED"},
}
ON_RECORD = {
    "ready": AuditAction.ENVIRONMENT_READY,
    "pause": AuditAction.ENVIRONMENT_PAUSED,
    "resume": AuditAction.ENVIRONMENT_RESUMED,
    "extend": AuditAction.ENVIRONMENT_EXTENDED,
    "refresh": AuditAction.ENVIRONMENT_REFRESHED,
    "delete": AuditAction.ENVIRONMENT_DELETE_REQUESTED,
    "expiring": AuditAction.ENVIRONMENT_EXPIRED,
    "deleted": AuditAction.ENVIRONMENT_DELETED,
}


async def _meddle(services: Services, viewer: Viewer, environment: Environment, dice: Random) -> None:
    """Somebody tries this and that; what cannot be done at the moment is told so."""
    verbs = [verb for name, verb in VERBS.items() if name != "deleteEnvironment"] * 3
    dice.shuffle(verbs)
    for verb in verbs:
        if dice.random() < 0.3:
            await configure_production(services, viewer, [EntryRequest("NUMBER", str(dice.random()))])
        with suppress(ConflictError):
            await verb(services, viewer, environment.id)


async def _until_ready(services: Services, viewer: Viewer, environment: Environment) -> None:
    async with aclosing(watch_environment(services, viewer, environment.id)) as stream:
        async for event in stream:
            if event.status is EnvironmentStatus.READY:
                return


async def _followed(services: Services, viewer: Viewer, environment: Environment) -> list[tuple[int, str, str]]:
    async with aclosing(watch_environment(services, viewer, environment.id)) as stream:
        return [(event.seq, event.status.value, event.step) async for event in stream]


async def test_whatever_people_do_each_environment_has_one_legal_life_on_record(database_url: str) -> None:
    dice = Random(7)
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        async with Caretaker(one, "caretaker"):
            made = [await asked(one, f"number {number}") for number in range(4)]
            following = [asyncio.create_task(_followed(one, viewer, each)) for each in made]
            for _ in range(2):  # while they are made, and once they are there
                await asyncio.gather(
                    *(_meddle(who, viewer, each, Random(dice.random())) for each in made for who in (one, two))
                )
                await asyncio.gather(*(_until_ready(one, viewer, each) for each in made))
            for each in made[:2]:
                await asyncio.gather(*(delete_environment(who, viewer, each.id) for who in (one, two)))
            await asyncio.gather(*following[:2])
            one.store.clock_offset = two.store.clock_offset = timedelta(days=7)
            for each in made[2:]:
                await asyncio.gather(*(delete_environment(who, viewer, each.id) for who in (one, two)))
            lives = await asyncio.gather(*following)
        assert {"pause", "resume", "extend", "refresh"} <= {step for life in lives for _, _, step in life}
        for environment, life in zip(made, lives, strict=True):
            assert [seq for seq, _, _ in life] == list(range(1, len(life) + 1))
            statuses = [status for _, status, _ in life]
            assert statuses[-1] == "DELETED"
            for before, after in pairwise(statuses):
                assert before == after or after in FOLLOWS[before], statuses
            told = [ON_RECORD[step] for _, _, step in life if step in ON_RECORD]
            recorded = [entry.action for entry in await entries(one, environment)]
            assert recorded == [AuditAction.ENVIRONMENT_REQUESTED, *told]
            gone = await stored(one.store, environment)
            assert (gone.sealed_password, gone.snapshot.entries) == (None, ())
            assert await left_of(one, environment) == []
        assert await environments.count(one.store, viewer.tenant_id) == 0
