"""What somebody has changed before people approved it: a worker process refuses it, and says so in three places."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.operations.deploying import into_review, pointer_of
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import approve, person
from tests.operations.test_api_tokens import trail
from tests.operations.test_approvals import edited_manifest, kept, votes_by_sql
from tests.operations.world import demo, process
from tests.processes import WorkerProcess
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.services import Services
from windtunnel.operations.watch_deployment import watch_deployment
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.storage.store import open_store
from windtunnel.streams.bus import open_bus
from windtunnel.vault.sealing import Vault


@pytest.fixture
def settings(postgres_database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path),
    }


async def test_a_worker_refuses_what_was_changed(settings: dict[str, str], tmp_path: Path) -> None:
    url = settings["WINDTUNNEL_DATABASE_URL"]
    unguarded, bus = await open_store(url, role=None), await open_bus(settings["WINDTUNNEL_REDIS_URL"])
    vault, blobs = Vault.open(tmp_path / "keys" / "secrets.key"), DirectoryBlobs(tmp_path / "packages")
    with WorkerProcess(settings):
        async with process(url, bus=bus, vault=vault, blobs=blobs) as services:
            live = await _approved(services, await into_review(services))
            live = await _ended(services, live)
            assert (live.status, live.failure) == (S.LIVE, None)
            bytes_, manifest, replayed, votes = [await into_review(services) for _ in range(4)]
            path = await blobs.path(bytes_.package_digest)
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1] + b"x")
            await edited_manifest(services, unguarded, manifest)
            await kept(services, replayed, live.approval or "")
            for made in (bytes_, manifest, replayed):
                await _approved(services, made)
            await votes_by_sql(services, unguarded, votes)
            for made in (bytes_, manifest, replayed, votes):
                await _refused(services, made, "DIGEST_MISMATCH" if made is bytes_ else "APPROVAL_INVALID")
            assert (await pointer_of(services, live)).deployment_id == live.id
    await unguarded.close()
    await bus.close()


async def _approved(services: Services, made: Deployment) -> Deployment:
    return await approve(services, await person(services, await demo(services), "reviewer@acme.test"), made)


async def _ended(services: Services, made: Deployment) -> Deployment:
    stream: AsyncIterator[object] = watch_deployment(services, await demo(services), made.id)
    async for _ in stream:
        if (await stored(services, made)).status in {S.LIVE, S.DEPLOY_FAILED}:
            break
    return await stored(services, made)


async def _refused(services: Services, made: Deployment, code: str) -> None:
    made = await _ended(services, made)
    assert made.status is S.DEPLOY_FAILED
    assert (made.failure or "").startswith(f"{code}: ")
    assert (await told(services, made))[-1].message == made.failure
    entries = [each for each in await trail(services, await demo(services)) if each.subject_id == made.id]
    assert (entries[-1].action, entries[-1].reason) == (AuditAction.DEPLOYMENT_FAILED, made.failure)
    assert (await pointer_of(services, made)).version_id is None
