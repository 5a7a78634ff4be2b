"""Packages that nobody needs any more: their bytes go, the tenant has the room again, and the history stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.operations.packages_world import mine, ready_for, simulated, uploaded
from tests.operations.pipeline_world import became, in_review, registered, submitted
from tests.operations.releases_world import agent_with, approved, go_live, live, rolled, versions_of
from tests.operations.world import process
from tests.storage.worlds import demo, queued, stranger
from windtunnel.domain.agents import VersionState
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.policy import PACKAGE_UNUSED_KEPT_MS
from windtunnel.domain.retention import to_prune
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations import submit_deployment as submitting
from windtunnel.operations.discard_packages import discard_packages
from windtunnel.operations.evidence import gathered_evidence
from windtunnel.operations.find_package import find_package
from windtunnel.operations.services import Services
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.operations.sweep_packages import sweep_packages
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.storage import audit, package_care, packages, pipeline_reads, releases
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store

LONG = timedelta(milliseconds=PACKAGE_UNUSED_KEPT_MS)
MINUTE = timedelta(minutes=1)
KEPT = ["1.0.0", "2.0.0", "3.0.0"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many versions are retained as KEPT are, so that the fourth prunes the first."""
    monkeypatch.setattr(releases, "to_prune", partial(to_prune, keep=len(KEPT)))


@asynccontextmanager
async def opened(database_url: str, root: Path) -> AsyncIterator[Services]:
    async with process(database_url) as services:
        yield replace(services, blobs=DirectoryBlobs(root))


async def used(services: Services, viewer: Viewer) -> int:
    return await packages.bytes_of(services.store, viewer.tenant_id)


async def on_record(services: Services, viewer: Viewer) -> list[AuditEntry]:
    entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
    return [entry for entry in entries if entry.action == AuditAction.PACKAGE_DISCARDED]


async def swept(services: Services) -> list[bool]:
    """What the housekeeper does, all of it."""
    return [
        bool(await discard_packages(services.store)),
        bool(await sweep_packages(services.store, services.blobs, older_than_s=0.0)),
    ]


@pytest.mark.usefixtures("few")
async def test_what_is_pruned_gives_its_bytes_and_its_room_back(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url, tmp_path / "blobs") as services:
        you = await demo(services.store)
        agent = await agent_with(services, you, *KEPT)
        before, oldest = await used(services, you), (await versions_of(services, agent))["1.0.0"]
        assert await swept(services) == [False, False], "all of them are retained"

        await live(services, you, agent, "4.0.0")
        newest = (await versions_of(services, agent))["4.0.0"]
        sizes = await pipeline_reads.sizes(
            services.store, you.tenant_id, [oldest.package_digest, newest.package_digest]
        )
        assert await used(services, you) == before - sizes[oldest.package_digest] + sizes[newest.package_digest]
        with pytest.raises(NotFoundError):
            await find_package(services, you, oldest.package_digest)
        assert await swept(services) == [False, True]
        known = await versions_of(services, agent)
        there = {number: await services.blobs.exists(version.package_digest) for number, version in known.items()}
        assert there == dict.fromkeys([*KEPT, "4.0.0"], True) | {"1.0.0": False}

        page = (await pipeline_reads.histories(services.store, you.tenant_id, [agent.id], 20))[agent.id]
        tombstone = page.items[-1]
        assert tombstone.version.state is VersionState.PRUNED
        assert tombstone.version.manifest == oldest.manifest
        assert (tombstone.version.package_digest, tombstone.size_bytes) == (
            oldest.package_digest,
            sizes[oldest.package_digest],
        )


@pytest.mark.usefixtures("few")
async def test_what_another_tenant_has_is_kept_for_that_one(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url, tmp_path / "blobs") as services:
        you, eve = await demo(services.store), await stranger(services.store)
        agent = await agent_with(services, you, *KEPT)
        digest = await uploaded(services, eve, mine(version="1.0.0"))
        theirs = await used(services, eve)
        await live(services, you, agent, "4.0.0")
        assert (await versions_of(services, agent))["1.0.0"].package_digest == digest
        assert await swept(services) == [False, False]
        assert (await find_package(services, eve, digest)).digest == digest
        assert (await used(services, eve), await services.blobs.exists(digest)) == (theirs, True)


@pytest.mark.usefixtures("few")
async def test_what_was_let_go_can_be_uploaded_again(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url, tmp_path / "blobs") as services:
        you = await demo(services.store)
        agent = await agent_with(services, you, *KEPT, "4.0.0")
        before = await used(services, you)
        for _ in range(2):  # while its bytes are there still, and when they are gone
            digest = await uploaded(services, you, mine(version="1.0.0"))
            assert (await find_package(services, you, digest)).uploaded_by == you.user.id
            assert await used(services, you) > before
            assert await swept(services) == [False, False], "it was pruned before it was uploaded"
            assert await services.blobs.exists(digest)
            services.store.clock_offset += LONG + MINUTE
            assert await swept(services) == [True, True], "nobody has used it for long enough"
            assert not await services.blobs.exists(digest)
            assert await used(services, you) == before
        assert (await versions_of(services, agent))["1.0.0"].state is VersionState.PRUNED


@pytest.mark.parametrize("way", ["deployment", "review", "hold", "simulation", "environment"])
async def test_what_is_needed_is_kept_however_old_it_is(database_url: str, way: str) -> None:
    async with process(database_url) as services:
        store, you = services.store, await demo(services.store)
        digest = await uploaded(services, you, mine())
        if way == "deployment":
            await submitted(services, you)
        elif way == "review":
            await in_review(services, you)
        elif way == "hold":
            agent = await agent_with(services, you, "2.0.0", "3.0.0")
            await approved(services, you, agent, "1.0.0")
            await rolled(services, you, agent)
        elif way == "simulation":
            simulation = await queued(store, you)
            await _ties(store, you, simulation.id, digest)
        else:
            await simulated(services, await ready_for(services), mine())
        store.clock_offset = LONG + MINUTE
        async with store.transaction(you.tenant_id):
            await store.lock_tenant(you.tenant_id)
            assert await package_care.discard(store, you.tenant_id, [digest]) == {}
        assert await discard_packages(store) == 0
        assert (await find_package(services, you, digest)).digest == digest


async def test_what_nobody_uses_goes_after_90_days(database_url: str) -> None:
    async with process(database_url) as services:
        store, you = services.store, await demo(services.store)
        agent = await registered(services, you)
        unused, refused, tried = [await uploaded(services, you, mine(version=f"{n}.0.0")) for n in (1, 2, 3)]
        store.clock_offset = LONG - MINUTE
        late = await submitted(services, you, agent, data=mine(version="2.0.0"))
        await became(services, late, S.VALIDATING, S.INVALID)
        simulation = await queued(store, you)
        await _ties(store, you, simulation.id, tried)
        await store.of(you.tenant_id).fetch(
            "UPDATE simulations SET status = 'CANCELLED', finished_ms = {now} WHERE tenant_id = $1", you.tenant_id
        )
        assert await discard_packages(store) == 0
        store.clock_offset = LONG + MINUTE
        assert await discard_packages(store) == 1
        assert await discard_packages(store) == 0
        (entry,) = await on_record(services, you)
        assert (entry.subject_id, entry.actor_id) == (unused, None)
        store.clock_offset = 2 * LONG
        assert await discard_packages(store) == 2
        assert {entry.subject_id for entry in await on_record(services, you)} == {unused, refused, tried}
        assert await used(services, you) == 0


async def test_a_package_that_goes_while_it_is_submitted_is_not_submitted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(database_url) as services:
        store, you = services.store, await demo(services.store)
        agent, digest = await registered(services, you), await uploaded(services, you, mine())

        async def meanwhile(*given: Any) -> list[Evidence]:
            async with store.transaction(you.tenant_id):
                assert await package_care.discard(store, you.tenant_id, [digest])
            return await gathered_evidence(*given)

        monkeypatch.setattr(submitting, "gathered_evidence", meanwhile)
        with pytest.raises(NotFoundError):
            await submit_deployment(services, you, SubmitRequest(agent.id, digest))


async def test_the_database_lets_go_of_nothing_that_is_needed(unguarded: Store, database_url: str) -> None:
    async with process(database_url) as services:
        you = await demo(services.store)
        agent = await registered(services, you)
        waiting = await approved(services, you, agent, "1.0.0")
        for _ in range(2):
            with pytest.raises(ConstraintError):
                await _discarded(unguarded, waiting.package_digest)
            if (await versions_of(services, agent))["1.0.0"].state is VersionState.CANDIDATE:
                await go_live(services, waiting)
        spare = await uploaded(services, you, mine(version="2.0.0"))
        await _discarded(unguarded, spare)
        for sets in ("discarded_ms = discarded_ms + 1", "size_bytes = 1, discarded_ms = NULL"):
            with pytest.raises(ConstraintError):
                await unguarded.fetch(f"UPDATE packages SET {sets} WHERE digest = $1", spare)
        page = await packages.get(services.store, you.tenant_id, spare)
        assert page is None


async def _discarded(store: Store, digest: str) -> None:
    await store.fetch("UPDATE packages SET discarded_ms = 1 WHERE digest = $1", digest)


async def _ties(store: Store, viewer: Viewer, simulation_id: str, digest: str) -> None:
    await store.of(viewer.tenant_id).fetch(
        "UPDATE simulations SET package_digest = $2 WHERE tenant_id = $1 AND id = $3",
        viewer.tenant_id,
        digest,
        simulation_id,
    )
