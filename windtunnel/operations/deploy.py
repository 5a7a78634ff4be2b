"""Deploying what is approved: the approval is verified, the version brought up, and then put into production at once.

Every step can be repeated. Whoever goes on with a deployment raises the fences of deployment and pointer, and begins
anew: what runs already is used, and whoever was at it before cannot change anything any more.
"""

import asyncio

from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.errors import ErrorCode, PolicyError
from windtunnel.operations.approvals import check_approval, signed_approval
from windtunnel.operations.bring_up import BringUpError, bring_up, let_go, put_through
from windtunnel.operations.deploy_begin import begin
from windtunnel.operations.deploy_end import OvertakenError, QuarantinedError, TooLateError, complete, fail
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_changes
from windtunnel.storage.errors import LeaseLostError

ATTEMPT_S = 120.0
"""What one attempt may take: more than unpacking, starting and the health command together."""
_TOO_SLOW = f"It did not come up within {ATTEMPT_S:g} seconds."
_TOO_LATE = "Its approval ended before it was in production."
_ROUNDS = 5


async def deploy(services: Services, deployment: Deployment) -> None:
    """Deploy what was claimed, APPROVED or DEPLOYING; it is LIVE then, DEPLOY_FAILED, LAPSED, or HELD.

    Raises LeaseLostError, UnavailableError (another attempt to go on with it is made when the claim is over).
    """
    for _ in range(_ROUNDS):
        begun = await begin(services, deployment)
        if begun is None:
            return
        deployment = begun.deployment
        try:
            async with asyncio.timeout(ATTEMPT_S):
                deployment = await _approved(services, deployment)
                await _come_up(services, deployment)
            done = await complete(services, deployment, begun.pointer)
        except OvertakenError:  # by another deployment of the agent
            continue
        except (BringUpError, PolicyError, QuarantinedError, TimeoutError, TooLateError) as error:
            await fail(services, deployment, *_why(error))
            if isinstance(error, TooLateError):
                await lapse_deployment(services, deployment.tenant_id, deployment.id)
            await let_go(services, deployment.tenant_id, deployment.agent_id, deployment.package_digest)
            return
        await put_through(services, done.pointer)
        for pruned in done.pruned:
            await services.target.remove(pruned)
        return
    await fail(services, deployment, ErrorCode.CONFLICT, "Other deployments of the agent were always faster.")


async def _approved(services: Services, deployment: Deployment) -> Deployment:
    """With the signed approval, made of the votes as they count now, and believed only once it is read back."""
    if deployment.approval is None:
        approval = await signed_approval(services, deployment)
        deployment = await _step(services, deployment, "approval", "The approval is counted and signed.", 0.2, approval)
    await check_approval(services, deployment)
    return deployment


async def _come_up(services: Services, deployment: Deployment) -> None:
    await _step(services, deployment, "starting", "The approval holds. The version is being started.", 0.4)
    await bring_up(services, deployment.tenant_id, deployment.agent_id, deployment.package_digest)
    await _step(services, deployment, "healthy", "It runs, and its health command says that it is well.", 0.8)


async def _step(  # noqa: PLR0917 - read in this order everywhere
    services: Services, deployment: Deployment, step: str, message: str, progress: float, approval: str | None = None
) -> Deployment:
    store, news = services.home.store, News(deployment.tenant_id)
    async with store.transaction(deployment.tenant_id):
        await store.lock_tenant(deployment.tenant_id)
        changed = await deployment_changes.change(
            store,
            deployment.tenant_id,
            deployment.id,
            expected={DeploymentStatus.DEPLOYING},
            draft=DeploymentEventDraft(DeploymentStatus.DEPLOYING, step, message, None, progress),
            values={} if approval is None else {"approval": approval},
            fence=deployment.fence,
        )
        if changed is None:
            raise LeaseLostError(deployment.id)
        deployment = news.of(changed)
    await tell(services, news)
    return deployment


def _why(error: Exception) -> tuple[ErrorCode, str]:
    if isinstance(error, BringUpError):
        return error.code, error.reason
    if isinstance(error, PolicyError):
        return error.code, error.message
    if isinstance(error, TimeoutError | TooLateError):
        return ErrorCode.TIMEOUT, _TOO_SLOW if isinstance(error, TimeoutError) else _TOO_LATE
    return ErrorCode.CONFLICT, str(error)
