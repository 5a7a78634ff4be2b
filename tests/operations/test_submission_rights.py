"""On PostgreSQL an API process may do what people ask of the pipeline, and no more; and many ask at once."""

import asyncio

import pytest

from tests.operations.packages_world import mine, uploaded
from tests.operations.pipeline_world import approved, became, in_review, registered, stored
from tests.operations.test_environment_rights import api
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.operations.expect_review import expectation_of
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.storage import audit
from windtunnel.storage.errors import RightError


async def test_an_api_process_may_do_what_people_ask_for(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as server, api(postgres_database_url, server) as one:
        viewer = await demo(server)
        agent = await registered(one, viewer)
        digest = await uploaded(one, viewer, mine())
        made = await submit_deployment(one, viewer, SubmitRequest(agent.id, digest))
        assert (await expectation_of(one, made)).at > made.submitted_at
        assert (await withdraw_deployment(one, viewer, made.id)).status is S.WITHDRAWN
        reviewed = await in_review(server, viewer, agent)
        assert (await withdraw_deployment(one, viewer, reviewed.id)).status is S.WITHDRAWN
        failed = await became(server, await approved(server, viewer, agent), S.DEPLOYING, S.DEPLOY_FAILED)
        assert (await retry_deployment(one, viewer, failed.id)).status is S.DEPLOYING


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pointers SET release_seq = 1 WHERE tenant_id = $1",
        "INSERT INTO pointers SELECT tenant_id, id, 0, 1, NULL, NULL, NULL, NULL FROM agents WHERE tenant_id = $1",
        "UPDATE agent_versions SET bound = TRUE WHERE tenant_id = $1",
        "DELETE FROM deployments WHERE tenant_id = $1",
        "UPDATE deployment_events SET message = '' WHERE tenant_id = $1",
        "UPDATE review_evidence SET summary = '' WHERE tenant_id = $1",
        "DELETE FROM review_votes WHERE tenant_id = $1",
    ],
)
async def test_an_api_process_cannot_write_what_workers_say(postgres_database_url: str, statement: str) -> None:
    async with process(postgres_database_url) as server, api(postgres_database_url, server) as one:
        viewer = await demo(server)
        with pytest.raises(RightError):
            await one.store.of(viewer.tenant_id).fetch(statement, viewer.tenant_id)


async def test_a_submission_that_is_sent_many_times_is_one(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as one, process(postgres_database_url, owner="two") as two:
        viewer = await demo(one)
        agent, digest = await registered(one, viewer), await uploaded(one, viewer, mine())
        for number in range(5):
            request = SubmitRequest(agent.id, digest, idempotency_key=f"k-{number}")
            made = await asyncio.gather(*(submit_deployment(each, viewer, request) for each in (one, two) * 4))
            assert len({deployment.id for deployment in made}) == 1
            assert await stored(one, made[0]) == made[0]
        entries = await audit.read(one.store, viewer.tenant_id, 0, 1_000)
        assert sum(entry.action == AuditAction.DEPLOYMENT_SUBMITTED for entry in entries) == 5


async def test_a_retry_that_is_asked_for_many_times_is_one_attempt(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as one, process(postgres_database_url, owner="two") as two:
        viewer = await demo(one)
        made = await became(one, await approved(one, viewer), S.DEPLOYING, S.DEPLOY_FAILED)
        tried = await asyncio.gather(
            *(retry_deployment(each, viewer, made.id) for each in (one, two) * 4), return_exceptions=True
        )
        assert sum(not isinstance(each, BaseException) for each in tried) == 1
        assert (await stored(one, made)).attempts == 2
