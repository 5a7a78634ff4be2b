"""Validating when something goes wrong: bytes, claims, disks; with the rights of a worker."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import person
from tests.operations.validating import asked, validated, wrong
from tests.operations.world import demo, process
from tests.packages.world import FILES
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.tend_deployment import tend_deployment
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.packages.codes import Code
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.storage import deployment_care
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import DatabaseRole, open_store

EVIL = FILES | {"triage/more.py": b"import socket\n"}


async def test_changed_and_lost_bytes_are_noticed(database_url: str, tmp_path: Path) -> None:
    async with process(database_url, blobs=DirectoryBlobs(tmp_path)) as services:
        for change, expected in ((_edit, Code.DIGEST_MISMATCH), (Path.unlink, Code.PACKAGE_UNAVAILABLE)):
            deployment = await asked(services)
            change(tmp_path / "sha256" / deployment.package_digest[:2] / deployment.package_digest)
            deployment = await validated(services, deployment)
            assert (deployment.status, deployment.version_id) == (S.INVALID, None)
            assert wrong(deployment) == [(expected, None, None)]


def _edit(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")


async def test_who_lost_the_claim_changes_nothing(database_url: str) -> None:
    async with process(database_url) as services:
        deployment = await asked(services)
        (late,) = await deployment_care.claim(services.store, "late", 1)
        services.store.clock_offset += timedelta(hours=1)
        (heir,) = await deployment_care.claim(services.store, "heir", 1)
        await tend_deployment(services, heir)
        with pytest.raises(LeaseLostError):
            await tend_deployment(services, late)
        assert (await stored(services, deployment)).status is S.IN_REVIEW
        assert len(await told(services, deployment)) == 3


async def test_what_is_withdrawn_meanwhile_stays_so(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        deployment = await asked(services)
        (claimed,) = await deployment_care.claim(services.store, "one", 1)
        await withdraw_deployment(services, viewer, deployment.id)
        with pytest.raises(LeaseLostError):
            await tend_deployment(services, claimed)
        assert (await stored(services, deployment)).status is S.WITHDRAWN


async def test_what_is_down_is_tried_again(database_url: str, tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    async with process(database_url, blobs=blobs) as services:
        deployment = await asked(services)
        place = tmp_path / "sha256" / deployment.package_digest[:2]
        place.rename(tmp_path / "away")
        place.write_bytes(b"")  # no directory: the disk is not what it should be
        assert (await validated(services, deployment)).status is S.VALIDATING
        place.unlink()
        (tmp_path / "away").rename(place)
        assert (await validated(services, deployment)).status is S.VALIDATING  # not yet
        services.store.clock_offset += timedelta(seconds=10)
        assert (await validated(services, deployment)).status is S.IN_REVIEW


async def test_a_worker_has_all_the_rights_that_it_needs(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await person(services, viewer, "reviewer@demo.test")
        store = await open_store(database_url, role=DatabaseRole.WORKER)
        try:
            own = replace(services, store=store)
            ends = [(await validated(own, await asked(services, each))).status for each in (mine(), mine(EVIL))]
        finally:
            await store.close()
        assert ends == [S.IN_REVIEW, S.INVALID]
