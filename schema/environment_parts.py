"""What an environment shows of itself: its configuration, what it is made of and may use, and what it has used."""

from datetime import datetime, timedelta
from typing import Self

import strawberry

from resolvers import environments
from schema.fields import resolved
from schema.info import Info
from windtunnel.domain import environments as domain
from windtunnel.domain.environments import EnvironmentStatus, ResourceStatus
from windtunnel.domain.production import Drift

LARGEST_INT = 2**31 - 1
"""GraphQL's Int is a signed 32-bit number."""
_HOUR = timedelta(hours=1)


@strawberry.type(description="What an environment has used, or all of a tenant together.")
class EnvironmentUsage:
    """Shows `environments.EnvironmentUsage`."""

    wall_hours: float = strawberry.field(description="Hours for which it was there, paused ones included.")
    cpu_seconds: float = strawberry.field(description="CPU time of the code of packages.")
    storage_bytes: float = strawberry.field(
        description="Bytes that it keeps, as they were last counted; of a tenant, in environments that are there."
    )
    tokens: int = strawberry.field(description="Tokens of the simulated models; at most 2,147,483,647 are shown.")
    simulations: int = strawberry.field(description="Simulations that came to an end.")

    @classmethod
    def of(cls, used: domain.EnvironmentUsage, existed: timedelta) -> Self:
        """The numbers as data."""
        return cls(
            wall_hours=existed / _HOUR,
            cpu_seconds=used.cpu_ms / 1_000,
            storage_bytes=float(used.storage_bytes),
            tokens=min(used.tokens, LARGEST_INT),
            simulations=min(used.simulations, LARGEST_INT),
        )


@strawberry.type(description="An entry that is not the same in production and in the environment.")
class ConfigurationDrift:
    """Shows `production.Drift`."""

    key: str = strawberry.field(description="Its name.")
    production: str | None = strawberry.field(
        description="What production has now: the value, or words for a secret; null when it has none."
    )
    environment: str | None = strawberry.field(description="What the environment has; null when it has none.")

    @classmethod
    def of(cls, drift: Drift) -> Self:
        """The difference as data."""
        return cls(key=drift.key, production=drift.production, environment=drift.environment)


@strawberry.type(description="The environment's copy of production's configuration.")
class EnvironmentConfiguration:
    """Shows `environments.Environment.snapshot`."""

    production_revision: str = strawberry.field(description="Revision of production at which it was copied.")
    digest: str = strawberry.field(
        description="SHA-256, in hex, of the entries as RFC 8785 JSON, of secrets their keyed fingerprints."
    )
    source: strawberry.Private[domain.Environment]

    @resolved("Whether it is what production is now; of a deleted environment, whether its last copy is.")
    async def matches_production(self, info: Info) -> bool:
        """Compared when asked for."""
        return await environments.matches(info.context, self.source)

    @resolved("Entries that are not what production has now, by key; none of a deleted environment.")
    async def drift(self, info: Info) -> list[ConfigurationDrift]:
        """Compared when asked for."""
        return [ConfigurationDrift.of(each) for each in await environments.drifted(info.context, self.source)]

    @classmethod
    def of(cls, environment: domain.Environment) -> Self:
        """The copy as data."""
        return cls(
            production_revision=str(environment.snapshot.revision),
            digest=environment.snapshot_digest,
            source=environment,
        )


@strawberry.type(description="One thing that an environment is made of.")
class EnvironmentResource:
    """Shows `environments.Resource`."""

    key: str = strawberry.field(description="Its name in the environment.")
    kind: str = strawberry.field(description="DIRECTORY, DATABASE, CHANNEL or PACKAGE.")
    status: str = strawberry.field(
        description="INTENDED before it is made, CREATED once it is there, REMOVED once it is seen to be absent."
    )
    created_at: datetime = strawberry.field(description="When it was noted, which is before it is made.")
    removed_at: datetime | None = strawberry.field(description="When it was seen to be absent; null before.")

    @classmethod
    def of(cls, resource: domain.Resource) -> Self:
        """The thing as data, without the place where it lies."""
        return cls(
            key=resource.key,
            kind=resource.kind.value,
            status=resource.status.value,
            created_at=resource.created_at,
            removed_at=resource.removed_at,
        )


@strawberry.type(description="What may be used in an environment.")
class ResourceLimits:
    """Shows `environments.EnvironmentLimits`."""

    cpu: float = strawberry.field(description="Cores for one run of code.")
    memory_mb: int = strawberry.field(description="Memory of one run of code, in MiB.")
    storage_mb: int = strawberry.field(description="What may be kept in the environment, in MiB.")
    max_simulations: int = strawberry.field(description="Simulations running at once; more wait, and are not lost.")

    @classmethod
    def of(cls, limits: domain.EnvironmentLimits) -> Self:
        """The limits as data."""
        return cls(
            cpu=limits.cpu,
            memory_mb=limits.memory_mb,
            storage_mb=limits.storage_mb,
            max_simulations=limits.max_simulations,
        )


@strawberry.type(description="How far the deletion of an environment has come, and the proof that nothing remains.")
class CleanupReport:
    """Shows what `environments.Environment` has of its deletion."""

    started_at: datetime = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When nothing remained; null before.")
    complete: bool = strawberry.field(description="Whether everything was seen to be absent.")
    digest: str | None = strawberry.field(
        description="SHA-256 of the receipt, in hex; the audit log has it, too. Null until complete."
    )
    receipt: str | None = strawberry.field(
        description="The receipt as canonical JSON: what was removed, and how it was looked for. Null until complete."
    )
    source: strawberry.Private[domain.Environment]

    @resolved("What was removed, and seen to be absent.")
    async def removed(self, info: Info) -> list[EnvironmentResource]:
        """Loaded together with those of its neighbours."""
        return [
            EnvironmentResource.of(each)
            for each in await environments.resources(info.context, self.source)
            if each.status is ResourceStatus.REMOVED
        ]

    @resolved("What could not be removed yet, and why; else what is still to be removed, by key.")
    async def remaining(self, info: Info) -> list[str]:
        """In words once it is stuck."""
        if self.source.remaining:
            return list(self.source.remaining)
        return [
            each.key
            for each in await environments.resources(info.context, self.source)
            if each.status is not ResourceStatus.REMOVED
        ]

    @classmethod
    def of(cls, environment: domain.Environment) -> Self | None:
        """The report as data; None before the deletion has begun."""
        if environment.cleanup_started_at is None:
            return None
        return cls(
            started_at=environment.cleanup_started_at,
            finished_at=environment.deleted_at,
            complete=environment.status is EnvironmentStatus.DELETED,
            digest=environment.receipt_digest,
            receipt=environment.receipt,
            source=environment,
        )
