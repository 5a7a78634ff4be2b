"""What is over at its deadline is shown so from that moment on, whether a worker has come by or not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.graphql.pipeline import LIST, QUEUE, id_of, look
from tests.graphql.world import Client
from tests.operations.pipeline_world import approved, became, stored
from tests.operations.review_world import person, reviewable
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.tend_review import tend_review

MOMENT = timedelta(seconds=30)


async def seen(client: Client, *statuses: str) -> list[str]:
    page = (await client.get(LIST, {"filter": {"statuses": list(statuses)}}))["deployments"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["id"] for node in page["nodes"]]


async def waiting(client: Client, *statuses: str) -> list[Any]:
    wanted = {"statuses": list(statuses)} if statuses else None
    page = (await client.get(QUEUE, {"filter": wanted}))["reviewQueue"]
    assert page["totalCount"] == len(page["nodes"])
    return list(page["nodes"])


async def turn(client: Client, to: datetime | None, by: timedelta = timedelta()) -> None:
    assert to
    client.services.store.clock_offset += to + by - await client.services.store.now()


async def test_a_review_is_expired_at_its_deadline_before_anybody_has_swept(client: Client) -> None:
    made = await reviewable(client.services, client.signed_in)
    reviewing = Client(client.services, await person(client.services, client.signed_in, "rae@demo.local"))
    await turn(client, made.review_deadline, -MOMENT)
    assert (await look(client, made))["status"] == "IN_REVIEW"
    assert len(await waiting(reviewing)) == 1

    await turn(client, made.review_deadline)
    shown = await look(client, made)
    assert datetime.fromisoformat(shown["finishedAt"]) == made.review_deadline
    assert shown["review"]["decidedAt"] == shown["finishedAt"]
    for swept in (False, True):
        shown = await look(client, made)
        assert (shown["status"], shown["review"]["status"]) == ("EXPIRED", "EXPIRED")
        assert shown["review"]["queuePosition"] is None
        assert await waiting(reviewing) == []
        assert [each["status"] for each in await waiting(reviewing, "EXPIRED")] == ["EXPIRED"]
        assert (await seen(client, "IN_REVIEW"), await seen(client, "EXPIRED")) == ([], [id_of(made)])
        assert await tend_review(client.services, made.tenant_id, made.id) is not swept


@pytest.mark.parametrize("status", [S.APPROVED, S.HELD, S.DEPLOY_FAILED])
async def test_an_approval_that_is_too_old_is_shown_as_lapsed(client: Client, status: S) -> None:
    made: Deployment = await approved(client.services, client.signed_in)
    between = {S.APPROVED: (), S.HELD: (S.HELD,), S.DEPLOY_FAILED: (S.DEPLOYING, S.DEPLOY_FAILED)}[status]
    await became(client.services, made, *between)
    made = await stored(client.services, made)
    await turn(client, made.execute_by, -MOMENT)
    assert (await look(client, made))["status"] == status
    await turn(client, made.execute_by)
    shown = await look(client, made)
    assert (shown["status"], shown["finishedAt"]) == ("LAPSED", shown["executeBy"])
    assert (await seen(client, status), await seen(client, "LAPSED")) == ([], [id_of(made)])
