"""Batched reads of the pipeline: agents, versions, deployments, reviews and rollbacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from strawberry.dataloader import DataLoader

from resolvers.batching import Grouped, by_id
from windtunnel.domain.agents import Agent, AgentVersion, Pointer
from windtunnel.domain.deployments import Deployment, DeploymentEvent
from windtunnel.domain.packages import PackageCheck
from windtunnel.domain.pages import Keyset, Page
from windtunnel.domain.reviews import Evidence, Finding, Review, Vote
from windtunnel.domain.rollbacks import Rollback
from windtunnel.storage import (
    agent_versions,
    agents,
    deployment_events,
    deployments,
    pipeline_reads,
    releases,
    reviews,
    rollbacks,
)
from windtunnel.storage.store import Store


@dataclass(frozen=True, slots=True)
class DeploymentSlice:
    """Which deployments of an agent or a version: `group` is the column that names it."""

    group: str
    limit: int
    after: Keyset | None


@dataclass(frozen=True, slots=True)
class VersionSlice:
    """Which versions of an agent."""

    limit: int
    after: Keyset | None


class PipelineLoaders:
    """One loader per noun, all for one tenant. Unknown ids, and those of what is not theirs, load as None."""

    def __init__(self, store: Store, tenant_id: str, now: DataLoader[None, datetime]) -> None:
        async def histories(ids: list[str], how: VersionSlice) -> dict[str, Page[AgentVersion]]:
            """With what a page of versions shows beside them: that is not read again."""
            found = await pipeline_reads.histories(store, tenant_id, ids, how.limit, how.after)
            for page in found.values():
                for item in page.items:
                    self.sizes.prime(item.version.package_digest, item.size_bytes)
                    self.pointers.prime(item.version.agent_id, item.pointer)
                    now.prime(None, item.now)
            return {
                key: Page(
                    [item.version for item in page.items], page.keys, page.has_next, page.has_previous, page.total
                )
                for key, page in found.items()
            }

        self.agents: DataLoader[str, Agent | None] = by_id(lambda ids: agents.get_many(store, tenant_id, ids))
        self.pointers: DataLoader[str, Pointer | None] = by_id(lambda ids: agents.pointers(store, tenant_id, ids))
        self.versions: DataLoader[str, AgentVersion | None] = by_id(
            lambda ids: agent_versions.get_many(store, tenant_id, ids)
        )
        self.histories: Grouped[VersionSlice, Page[AgentVersion]] = Grouped(histories)
        self.retained: DataLoader[str, Sequence[AgentVersion] | None] = by_id(
            lambda ids: pipeline_reads.retained(store, tenant_id, ids)
        )
        self.live: DataLoader[None, list[AgentVersion]] = DataLoader(lambda askers: _live(store, tenant_id, askers))
        self.sizes: DataLoader[str, int | None] = by_id(lambda ids: pipeline_reads.sizes(store, tenant_id, ids))
        self.checks: DataLoader[str, Sequence[PackageCheck] | None] = by_id(
            lambda ids: pipeline_reads.checks(store, tenant_id, ids)
        )
        self.deployments: DataLoader[str, Deployment | None] = by_id(
            lambda ids: deployments.get_many(store, tenant_id, ids)
        )
        self.deployments_of: Grouped[DeploymentSlice, Page[Deployment]] = Grouped(
            lambda ids, how: deployments.pages_of(store, tenant_id, how.group, ids, limit=how.limit, after=how.after)
        )
        self.timelines: DataLoader[str, Sequence[DeploymentEvent] | None] = by_id(
            lambda ids: deployment_events.read_many(store, tenant_id, ids)
        )
        self.rollbacks: DataLoader[str, Rollback | None] = by_id(lambda ids: rollbacks.get_many(store, tenant_id, ids))
        self.rollbacks_of: DataLoader[str, Sequence[Rollback] | None] = by_id(
            lambda ids: rollbacks.of_deployments(store, tenant_id, ids)
        )
        self.reviews: DataLoader[str, Review | None] = by_id(lambda ids: reviews.get_many(store, tenant_id, ids))
        self.reviews_of: DataLoader[str, Review | None] = by_id(
            lambda ids: reviews.of_deployments(store, tenant_id, ids)
        )
        self.votes: DataLoader[str, Sequence[Vote] | None] = by_id(lambda ids: reviews.votes(store, tenant_id, ids))
        self.findings: DataLoader[str, Sequence[Finding] | None] = by_id(
            lambda ids: reviews.findings(store, tenant_id, ids)
        )
        self.evidence: DataLoader[str, Sequence[Evidence] | None] = by_id(
            lambda ids: reviews.evidence(store, tenant_id, ids)
        )
        self.queue_places: DataLoader[str, int | None] = by_id(
            lambda ids: pipeline_reads.queue_places(store, tenant_id, ids)
        )


async def _live(store: Store, tenant_id: str, askers: Sequence[None]) -> list[list[AgentVersion]]:
    """What the tenant has in production, there being one production."""
    return [await releases.live(store, tenant_id)] * len(askers)
