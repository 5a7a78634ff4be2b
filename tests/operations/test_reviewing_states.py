"""Reviewing in every status of a deployment: only what is in review can be decided or claimed."""

from collections import deque

import pytest

from tests.operations.pipeline_world import became, registered, stored, submitted
from tests.operations.review_world import approve, person, reject, review_of, reviewable
from tests.operations.world import demo, process
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployment_words import NEXT
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.pipeline_table import TRANSITIONS
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.expire_review import expire_review
from windtunnel.operations.services import Services
from windtunnel.operations.tend_review import tend_review
from windtunnel.storage import reviews

BEFORE = (S.SUBMITTED, S.VALIDATING, S.INVALID)


def way_to(status: S) -> list[S]:
    """From IN_REVIEW, by the table; what is held was approved first."""
    ways = deque([[S.IN_REVIEW]])
    while ways[0][-1] is not status:
        way = ways.popleft()
        after = TRANSITIONS[way[-1]] - set(way) - ({S.HELD} if way == [S.IN_REVIEW] else set())
        ways.extend([*way, target] for target in sorted(after))
    return ways[0][1:]


async def in_status(services: Services, dev: Viewer, agent: Agent, status: S) -> Deployment:
    if status in BEFORE:
        made = await submitted(services, dev, agent)
        return await became(services, made, *BEFORE[1 : BEFORE.index(status) + 1])
    made = await reviewable(services, dev, agent, version=f"1.{list(S).index(status)}.0")
    await became(services, made, *way_to(status))
    return await stored(services, made)


async def test_only_what_is_in_review_is_decided(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        agent, ada = await registered(services, dev), await person(services, dev, "ada@example.org")
        for status in sorted(set(S) - {S.IN_REVIEW}):
            made = await in_status(services, dev, agent, status)
            assert made.status is status
            known = (await reviews.of_deployments(services.store, dev.tenant_id, [made.id])).get(made.id)
            attempts = [approve(services, ada, made), reject(services, ada, made)]
            attempts += [claim_review(services, ada, known.id)] if known else []  # type: ignore[list-item]
            for attempt in attempts:
                with pytest.raises(ConflictError) as refused:
                    await attempt
                late = status is S.EXPIRED
                assert refused.value.code is (ErrorCode.REVIEW_EXPIRED if late else ErrorCode.CONFLICT)
                assert refused.value.current == status
                assert (
                    late
                    or refused.value.message == f"The deployment is {status}: it cannot be reviewed now. {NEXT[status]}"
                )
            assert await expire_review(services, dev.tenant_id, made.id) is None
            assert not await tend_review(services, dev.tenant_id, made.id)
            assert await stored(services, made) == made
            if known:
                assert await review_of(services, made) == known
            if status is S.LIVE:  # of an agent one is live at a time
                await became(services, made, S.RETIRED)
