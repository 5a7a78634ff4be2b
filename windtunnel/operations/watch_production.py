"""Watching production: what goes live, what is taken back, and when it is configured anew."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_id
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import FOLLOWER_SEEN_EVERY_MS
from windtunnel.domain.rollback_rules import no_such_agent
from windtunnel.domain.rollbacks import ProductionEvent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_logs import production_log
from windtunnel.operations.services import Services
from windtunnel.storage import agents, tenant_logs, workflows
from windtunnel.streams.follow import follow


async def watch_production(
    services: Services, viewer: Viewer, agent_ids: Sequence[str] | None = None, after: int | None = None
) -> AsyncGenerator[ProductionEvent]:
    """Events numbered above `after` (None: only new ones), of these agents alone or of everything. It never ends.

    What concerns all agents (production is configured anew) comes in any case.

    As long as it lasts, the viewer counts as somebody who works with these agents: a rollback tells them, and that it
    did. Raises ForbiddenError, NotFoundError, UnavailableError. Close it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_PRODUCTION)
    home, tenant_id = services.home, viewer.tenant_id
    if agent_ids is not None:
        known = await agents.get_many(home.store, tenant_id, agent_ids)
        for agent_id in agent_ids:
            if agent_id not in known:
                raise no_such_agent(agent_id)
    if after is None:
        after = await tenant_logs.last_production(home.store, tenant_id)
    log = production_log(home.store, tenant_id)
    async with _known_as_follower(services, viewer, agent_ids), aclosing(follow(home.hub, log, after, _ends)) as events:
        async for event in events:
            if agent_ids is None or event.agent_id is None or event.agent_id in agent_ids:
                yield event


@asynccontextmanager
async def _known_as_follower(
    services: Services, viewer: Viewer, agent_ids: Sequence[str] | None
) -> AsyncIterator[None]:
    store, stream = services.home.store, new_id()

    async def say() -> None:
        await workflows.follows(store, viewer.tenant_id, stream, viewer.user.id, agent_ids)

    async def go_on() -> None:
        while True:
            await asyncio.sleep(FOLLOWER_SEEN_EVERY_MS / 1000)
            with suppress(UnavailableError):
                await say()

    await say()
    going_on = asyncio.create_task(go_on(), name="follower of production")
    try:
        yield
    finally:
        going_on.cancel()
        await asyncio.wait([going_on])
        with suppress(UnavailableError):  # it is forgotten soon
            await workflows.follows_no_more(store, viewer.tenant_id, stream)


def _ends(_: ProductionEvent) -> bool:
    return False
