"""Watching a deployment: what happens to it without gap or repeat, stored first, until it is live or over."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.deployments import FINAL_STATUSES, DeploymentEvent, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.deployment_parts import current
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_logs import deployment_log
from windtunnel.operations.services import Services
from windtunnel.streams.follow import follow

ENDS = FINAL_STATUSES | {DeploymentStatus.LIVE}


async def watch_deployment(
    services: Services, viewer: Viewer, deployment_id: str, after: int | None = 0
) -> AsyncGenerator[DeploymentEvent]:
    """Events numbered above `after` (None: only new ones), ending with the one that makes it live or ends it.

    A failed attempt ends nothing: it can be retried. Whoever has heard that it is live and asks for more is told how
    it ends. Raises ForbiddenError, NotFoundError and UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_DEPLOYMENT, Subject(Kind.DEPLOYMENT, deployment_id))
    deployment = await current(services, viewer.tenant_id, deployment_id)
    last = deployment.last_seq
    if after is None:
        after = last
    if deployment.status in FINAL_STATUSES and after >= last:
        return

    def ends(event: DeploymentEvent) -> bool:
        # What it was live for is told to the end.
        return event.status in ENDS and event.seq >= last

    log = deployment_log(services.home.store, viewer.tenant_id, deployment_id)
    # From a number that is not reached yet, the end would not be seen.
    async with aclosing(follow(services.home.hub, log, min(after, last), ends)) as events:
        async for event in events:
            if event.seq > after:
                yield event
