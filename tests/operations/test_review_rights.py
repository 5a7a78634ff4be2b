"""What the two roles of PostgreSQL can do to reviews: all that they have to, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.operations.pipeline_world import stored, submitted
from tests.operations.review_world import approve, person, reject, review_of, reviewable, to_review
from tests.operations.test_approve_deployment import RESTRICTED
from tests.operations.world import demo, process
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.reviews import ReviewStatus
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.review_people import excluded_people
from windtunnel.operations.services import Services
from windtunnel.operations.tend_review import tend_review
from windtunnel.storage.store import DatabaseRole, open_store

OWNERS: dict[str, Any] = {"owners": ["ada@example.org"]}


@asynccontextmanager
async def as_role(services: Services, url: str, role: DatabaseRole) -> AsyncIterator[Services]:
    store = await open_store(url, role=role)
    try:
        yield replace(services, store=store)
    finally:
        await store.close()


async def test_workers_open_remind_and_expire(postgres_database_url: str) -> None:
    async with (
        process(postgres_database_url) as services,
        as_role(services, postgres_database_url, DatabaseRole.WORKER) as worker,
    ):
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await submitted(services, dev)
        made = await to_review(worker, asked, **OWNERS)
        assert (await review_of(services, made)).excluded == tuple(sorted((dev.user.id, ada.user.id)))
        for hours in (13, 25):
            worker.store.clock_offset = timedelta(hours=hours)
            assert await tend_review(worker, dev.tenant_id, made.id)
        assert (await stored(services, made)).status is S.EXPIRED
        for column in ("digest", "prefix", "name"):
            with pytest.raises(Exception, match="permission denied"):
                await worker.store.of(dev.tenant_id).fetch(f"SELECT {column} FROM api_tokens")
        with pytest.raises(Exception, match="permission denied"):
            await worker.store.of(dev.tenant_id).fetch("DELETE FROM review_votes")


async def test_api_processes_claim_vote_and_reject(postgres_database_url: str) -> None:
    async with (
        process(postgres_database_url) as services,
        as_role(services, postgres_database_url, DatabaseRole.API) as api,
    ):
        dev = await demo(services)
        bob, eve = await person(services, dev, "bob@example.org"), await person(services, dev, "eve@example.org")
        asked, other = await reviewable(services, dev, **RESTRICTED), await reviewable(services, dev, **OWNERS)
        assert await excluded_people(api.store, other, {}) == (dev.user.id,)
        await claim_review(api, bob, (await review_of(services, asked)).id)
        assert (await approve(api, bob, asked)).status is S.IN_REVIEW
        assert (await approve(api, eve, asked)).status is S.APPROVED
        assert (await reject(api, bob, other)).status is S.REJECTED
        late = await reviewable(services, dev)
        api.store.clock_offset = timedelta(days=1)
        with pytest.raises(Exception, match="expired"):
            await approve(api, bob, late)
        assert (await review_of(services, late)).status is ReviewStatus.EXPIRED
        for statement in ("UPDATE review_votes SET comment = ''", "DELETE FROM reviews", "DELETE FROM review_findings"):
            with pytest.raises(Exception, match="permission denied"):
                await api.store.of(dev.tenant_id).fetch(statement)
