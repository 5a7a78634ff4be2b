"""Agents and their versions: reading them, registering one, rolling back, lifting what a rollback left behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from resolvers import environments
from resolvers.context import Context
from resolvers.pipeline_loaders import DeploymentSlice, VersionSlice
from resolvers.scenarios import check_search
from windtunnel.domain.agents import Agent, AgentVersion, Ineligible, Pointer
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.eligibility import restorable, rollback_until, why_ineligible
from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.package_simulations import package_simulations
from windtunnel.storage import agents as stored


async def agent(context: Context, id: str | None) -> Agent | None:
    """The agent of the viewer's tenant, None when there is none."""
    loader = context.loaders.pipeline.agents  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def of_slug(context: Context, slug: str) -> Agent | None:
    """The agent of the viewer's tenant that is called so, None when there is none."""
    return await stored.of_slug(context.services.store, context.tenant_id, slug)


async def page(context: Context, request: PageRequest, search: str | None) -> Page[Agent]:
    """Agents, newest first; with `search` only those whose slug, name or description contains it."""
    check_search(search)
    return await stored.page(context.services.store, context.tenant_id, request, search or None)


async def version(context: Context, id: str | None) -> AgentVersion | None:
    """The version of an agent of the viewer's tenant, None when there is none."""
    loader = context.loaders.pipeline.versions  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def live_version(context: Context, agent: Agent) -> AgentVersion | None:
    """The agent's version in production, None when there is none."""
    pointer = await _pointer(context, agent.id)
    return None if pointer is None else await version(context, pointer.version_id)


async def live_versions(context: Context) -> Sequence[AgentVersion]:
    """All that the viewer's tenant has in production, by their agents' slugs."""
    return await context.loaders.pipeline.live.load(None)


async def history(context: Context, agent: Agent, request: PageRequest) -> Page[AgentVersion]:
    """The agent's versions, newest first."""
    return await context.loaders.pipeline.histories.load(agent.id, VersionSlice(request.limit, request.after))


async def targets(context: Context, agent: Agent) -> Sequence[AgentVersion]:
    """The agent's versions that can be restored now, what was in production last first."""
    retained = await context.loaders.pipeline.retained.load(agent.id) or ()
    return restorable(retained, await _pointer(context, agent.id), await environments.now(context))


async def ineligible(context: Context, version: AgentVersion) -> Ineligible | None:
    """Why the version cannot be restored now, None when it can."""
    pointer = await _pointer(context, version.agent_id)
    return why_ineligible(version, pointer, await environments.now(context))


async def until(context: Context, deployment: Deployment) -> datetime | None:
    """Until when what is in production of the deployment's agent can be taken back; None when this one is not it."""
    pointer = await _pointer(context, deployment.agent_id)
    return rollback_until(pointer) if pointer and pointer.deployment_id == deployment.id else None


async def deployments(context: Context, group: str, id: str, request: PageRequest) -> Page[Deployment]:
    """Deployments of an agent or a version (the `group`: `agent_id` or `version_id`), newest first."""
    how = DeploymentSlice(group, request.limit, request.after)
    return await context.loaders.pipeline.deployments_of.load(id, how)


async def simulations(context: Context, digest: str, request: PageRequest) -> Page[Simulation]:
    """Simulations that ran the package with this digest, newest first."""
    return await package_simulations(context.services, context.tenant_id, digest, request)


async def size(context: Context, digest: str) -> int:
    """How many bytes a package has that something of the tenant's names."""
    return await context.loaders.pipeline.sizes.load(digest) or 0


async def checks(context: Context, version: AgentVersion) -> Sequence[PackageCheck]:
    """What the checks of the version's package found."""
    return await context.loaders.pipeline.checks.load(version.id) or ()


async def manifest(context: Context, version_id: str | None) -> Mapping[str, Any]:
    """The manifest of the version, empty as long as there is none."""
    found = await version(context, version_id)
    return {} if found is None else found.manifest


async def _pointer(context: Context, agent_id: str) -> Pointer | None:
    return await context.loaders.pipeline.pointers.load(agent_id)
