"""What a change of the pipeline leads to, collected in its transaction and told after the commit.

news = News(tenant_id)
async with store.transaction(tenant_id):
    ...
    deployment = news.of(await deployment_changes.change(...))
    news.queue.append(await tenant_logs.append_queue(...))
    news.notices.append(await notify(...))
await tell(services, news)
"""

from dataclasses import dataclass, field

from windtunnel.domain.deployments import Deployment, DeploymentEvent
from windtunnel.domain.reviews import QueueEvent
from windtunnel.domain.rollbacks import ProductionEvent
from windtunnel.operations.announce import announce_pipeline
from windtunnel.operations.notify import Announcement, announce_notifications
from windtunnel.operations.pipeline_logs import announce_deployment, announce_production, announce_queue
from windtunnel.operations.services import Services
from windtunnel.storage.deployment_changes import Changed


@dataclass(slots=True)
class News:
    """What is stored, in its order, and not yet told. `work`: there is something for a deployer to do."""

    tenant_id: str
    deployments: list[DeploymentEvent] = field(default_factory=list)
    queue: list[QueueEvent] = field(default_factory=list)
    production: list[ProductionEvent] = field(default_factory=list)
    notices: list[Announcement] = field(default_factory=list)
    work: bool = False

    def of(self, changed: Changed) -> Deployment:
        """The deployment as it is now; what happened to it will be told."""
        deployment, event = changed
        self.deployments.append(event)
        return deployment


async def tell(services: Services, news: News) -> None:
    """Have everybody hear of it; the transaction has been committed. Deployers are woken first."""
    bus = services.home.bus
    if news.work:
        await announce_pipeline(bus)
    for deployment_event in news.deployments:
        await announce_deployment(bus, deployment_event)
    for queue_event in news.queue:
        await announce_queue(bus, news.tenant_id, queue_event)
    for production_event in news.production:
        await announce_production(bus, news.tenant_id, production_event)
    for notice in news.notices:
        await announce_notifications(bus, notice)
