"""A deployment that another one of the agent has overtaken: it begins anew, and never is there more than one live."""

import pytest

from tests.operations.deploying import an_agent, claimed, pointer_of, submitter, waiting
from tests.operations.pipeline_world import stored
from tests.operations.test_approvals import signed
from tests.operations.world import process
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ErrorCode
from windtunnel.operations.deploy import deploy
from windtunnel.operations.deploy_begin import begin
from windtunnel.operations.deploy_end import OvertakenError, complete, fail
from windtunnel.operations.retry_deployment import retry_deployment


async def test_the_first_version_of_an_agent_is_overtaken_by_another(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        fast = await waiting(services, agent)
        failing = await begin(services, (await claimed(services))[0])
        assert failing
        await fail(services, failing.deployment, ErrorCode.UNAVAILABLE, "It was out of order.")
        slow = await waiting(services, agent)
        begun = await begin(services, (await claimed(services))[0])
        assert begun
        await retry_deployment(services, await submitter(services), fast.id)
        again = await begin(services, (await claimed(services))[0])
        assert again
        await complete(services, await signed(services, again.deployment), again.pointer)
        first = await signed(services, begun.deployment)
        with pytest.raises(OvertakenError):
            await complete(services, first, begun.pointer)
        assert (await stored(services, slow)).status is S.DEPLOYING
        await deploy(services, first)
        assert [(await stored(services, each)).status for each in (slow, fast)] == [S.LIVE, S.RETIRED]
        assert (await pointer_of(services, slow)).release_seq == 2
