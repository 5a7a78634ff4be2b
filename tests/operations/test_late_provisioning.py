"""Who makes an environment, stalls, and goes on too late: what it makes then is taken back, or is in its place."""

from contextlib import suppress
from datetime import timedelta

import pytest

from tests.operations.care import LEASE_OVER, asked, left_of, now, resources, tend_all
from tests.operations.world import process
from windtunnel.domain.environments import EnvironmentKey, EnvironmentStatus, ResourceKind
from windtunnel.operations import provisioning
from windtunnel.operations.environment_parts import PARTS, is_there, make
from windtunnel.operations.services import Services
from windtunnel.operations.tend_environment import tend_environment
from windtunnel.storage import environment_care
from windtunnel.storage.errors import LeaseLostError


class Stalled:
    """Making parts, by somebody who sleeps right before the one of `kind`, while `after` passes and others go on."""

    def __init__(self, kind: ResourceKind, after: timedelta) -> None:
        self._kind: ResourceKind | None = kind
        self._after = after

    async def __call__(self, services: Services, key: EnvironmentKey, kind: ResourceKind) -> None:
        if kind is self._kind:
            self._kind = None
            services.store.clock_offset += self._after
            await tend_all(services, "another")
        await make(services, key, kind)


async def late(services: Services) -> None:
    (held,) = await environment_care.claim(services.store, "stalled", 1)
    with suppress(LeaseLostError):
        await tend_environment(services, held)


@pytest.mark.parametrize("kind", PARTS)
async def test_what_it_makes_after_the_clean_up_is_gone_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, kind: ResourceKind
) -> None:
    async with process(database_url) as services:
        environment = await asked(services)
        monkeypatch.setattr(provisioning, "make", Stalled(kind, timedelta(minutes=5)))
        await late(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
        assert await left_of(services, environment) == []


@pytest.mark.parametrize("kind", PARTS)
async def test_what_others_have_made_meanwhile_stays(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, kind: ResourceKind
) -> None:
    async with process(sqlite_url) as services:
        environment = await asked(services)
        monkeypatch.setattr(provisioning, "make", Stalled(kind, LEASE_OVER))
        await late(services)
        assert (await now(services, environment)).status is EnvironmentStatus.READY
        parts = {part.kind: part for part in await resources(services, environment)}
        assert parts.keys() == PARTS.keys()
        for needed in (ResourceKind.DIRECTORY, ResourceKind.DATABASE):
            assert await is_there(services, environment.namespace, parts[needed])
