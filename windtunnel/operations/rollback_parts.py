"""What a rollback is about, as it is now."""

from dataclasses import dataclass

from windtunnel.domain.agents import Agent, AgentVersion
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.rollbacks import Rollback
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, agents, deployments


class CannotRestoreError(Exception):
    """The version cannot be restored, whoever tries; the text is for people."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rollback is about. `deployment` is what it takes away, `restored` what put its target into production."""

    agent: Agent
    current: AgentVersion
    target: AgentVersion
    deployment: Deployment
    restored: Deployment


async def parts_of(services: Services, rollback: Rollback) -> Parts:
    """As it is now. Raises CannotRestoreError when the target was never deployed."""
    store, tenant_id = services.home.store, rollback.tenant_id
    found = await agents.get(store, tenant_id, rollback.agent_id)
    versions = await agent_versions.get_many(store, tenant_id, [rollback.from_version_id, rollback.to_version_id])
    target = versions[rollback.to_version_id]
    approved = target.approved_deployment_id
    known = await deployments.get_many(store, tenant_id, [rollback.deployment_id, *([approved] if approved else [])])
    if found is None or approved is None:
        raise CannotRestoreError(f"Version {target.version} was never in production.")
    return Parts(found, versions[rollback.from_version_id], target, known[rollback.deployment_id], known[approved])
