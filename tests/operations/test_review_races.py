"""Many at once, from two processes on PostgreSQL: one decision each, and one entry of it in the audit log."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from tests.operations.pipeline_world import registered, stored
from tests.operations.review_world import approve, person, reject, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.test_approve_deployment import RESTRICTED
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction as A
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, WindtunnelError
from windtunnel.domain.reviews import QueueChange
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.expire_review import expire_review
from windtunnel.operations.services import Services
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.storage import tenant_logs

ROUNDS = 8
DECIDED = {
    S.APPROVED: A.DEPLOYMENT_APPROVED,
    S.REJECTED: A.DEPLOYMENT_REJECTED,
    S.EXPIRED: A.REVIEW_EXPIRED,
    S.WITHDRAWN: A.DEPLOYMENT_WITHDRAWN,
}


async def outcomes(*attempts: Coroutine[Any, Any, Any]) -> list[Any]:
    found = await asyncio.gather(*attempts, return_exceptions=True)
    for each in found:
        assert not isinstance(each, BaseException) or isinstance(each, WindtunnelError), repr(each)
    return found


async def decided_once(services: Services, dev: Viewer, asked: Deployment) -> S:
    made = await stored(services, asked)
    entries = [A(each.action) for each in await trail(services, dev) if each.subject_id == asked.id]
    assert [each for each in entries if each in DECIDED.values()] == [DECIDED[made.status]]
    review = await review_of(services, asked)
    assert review.status.value == made.status.value
    moves = await tenant_logs.read_queue(services.store, dev.tenant_id, 0, 1_000)
    ended = {QueueChange.DECIDED, QueueChange.EXPIRED, QueueChange.WITHDRAWN}
    assert len([move for move in moves if move.review_id == review.id and move.change in ended]) == 1
    return made.status


async def test_approve_reject_withdraw_and_expire(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as one, process(postgres_database_url, owner="two") as two:
        dev = await demo(one)
        agent = await registered(one, dev)
        ada, bob = await person(one, dev, "ada@example.org"), await person(one, dev, "bob@example.org")
        seen = set()
        for number in range(ROUNDS):
            one.store.clock_offset = two.store.clock_offset = timedelta(0)
            asked = await reviewable(one, dev, agent, version=f"1.{number}.0")
            if number % 2:  # for one of the processes it is over
                two.store.clock_offset = timedelta(days=1)
            attempts = [
                approve(one, ada, asked),
                reject(two, bob, asked),
                withdraw_deployment(one, dev, asked.id),
                expire_review(two, dev.tenant_id, asked.id),
                approve(two, ada, asked),
            ]
            await outcomes(*(attempts[number % 5 :] + attempts[: number % 5]))
            seen.add(await decided_once(one, dev, asked))
        assert len(seen) > 1


async def test_two_last_votes(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as one, process(postgres_database_url, owner="two") as two:
        dev = await demo(one)
        agent = await registered(one, dev)
        voters = [await person(one, dev, f"{name}@example.org") for name in ("ada", "bob", "eve", "joe")]
        for number in range(ROUNDS):
            asked = await reviewable(one, dev, agent, version=f"1.{number}.0", **RESTRICTED)
            found = await outcomes(
                *(approve((one, two)[place % 2], each, asked) for place, each in enumerate([*voters, *voters]))
            )
            made = [each.status for each in found if isinstance(each, Deployment)]
            assert sorted(made) == [S.APPROVED, S.IN_REVIEW]
            assert all(isinstance(each, ConflictError) for each in found if not isinstance(each, Deployment))
            assert await decided_once(one, dev, asked) is S.APPROVED
