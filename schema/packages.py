"""Packages as reviewers see them: the manifest, what its agent touches, and what the checks found."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import strawberry
from strawberry.scalars import JSON

from resolvers import agents
from schema.fields import resolved
from schema.info import Info
from windtunnel.domain import packages as domain
from windtunnel.domain.agents import AgentVersion
from windtunnel.domain.architectures import DataSensitivity
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import AccessMode


@strawberry.type(description="What one check of a package found.")
class PackageCheck:
    """Shows `packages.PackageCheck`."""

    code: str = strawberry.field(description="What was checked, in a word, for programs.")
    passed: bool = strawberry.field(description="Whether all was well.")
    severity: Severity = strawberry.field(description="How bad it is; HIGH and CRITICAL findings end the deployment.")
    path: str | None = strawberry.field(description="The file in the package; null when it is about no single one.")
    line: int | None = strawberry.field(
        description="The line in the file, from 1; null when it is about no single one."
    )
    detail: str | None = strawberry.field(description="What was found. It never quotes what may be a secret.")
    remediation: str | None = strawberry.field(description="What to do about it; null when nothing has to be done.")

    @classmethod
    def of(cls, check: domain.PackageCheck) -> Self:
        """The check as data."""
        return cls(
            code=check.code,
            passed=check.passed,
            severity=check.severity,
            path=check.path,
            line=check.line,
            detail=check.detail,
            remediation=check.remediation,
        )


@strawberry.type(description="Data that an agent touches, by its manifest: what reviewers must look at.")
class DataAccess:
    """Shows a store of the manifest's `data`."""

    resource: str = strawberry.field(description="Which data.")
    sensitivity: DataSensitivity = strawberry.field(description="How sensitive it is.")
    access: AccessMode = strawberry.field(description="What is done with it.")
    justification: str = strawberry.field(description="Why, in the words of the manifest.")

    @classmethod
    def all_of(cls, manifest: Mapping[str, Any]) -> list[Self]:
        """Everything that the manifest declares."""
        return [
            cls(
                resource=store["resource"],
                sensitivity=DataSensitivity(store["sensitivity"]),
                access=AccessMode(store["access"]),
                justification=store["justification"],
            )
            for store in manifest["data"]["stores"]
        ]


@strawberry.type(description="A package of an agent: one file, named by what is in it.")
class AgentPackage:
    """Shows the package of a version or of a deployment."""

    digest: str = strawberry.field(description="Its sha256, in hex.")
    version: strawberry.Private[AgentVersion | None]
    version_id: strawberry.Private[str | None]
    found: strawberry.Private[Sequence[domain.PackageCheck] | None]

    @resolved("How many bytes it has.")
    async def size_bytes(self, info: Info) -> int:
        """Loaded together with those of its neighbours."""
        return await agents.size(info.context, self.digest)

    @resolved("What `agent.json` in it says; empty as long as it cannot be read.")
    async def manifest(self, info: Info) -> JSON:
        """Loaded together with those of its neighbours."""
        found = self.version.manifest if self.version else await agents.manifest(info.context, self.version_id)
        return JSON(dict(found))

    @resolved("What the checks found, passed ones included; empty until it was validated.")
    async def checks(self, info: Info) -> list[PackageCheck]:
        """Loaded together with those of its neighbours."""
        found = self.found
        if found is None:
            found = await agents.checks(info.context, self.version) if self.version else ()
        return [PackageCheck.of(each) for each in found]

    @classmethod
    def of_version(cls, version: AgentVersion) -> Self:
        """The package of a version, as it was found when it was last validated."""
        return cls(digest=version.package_digest, version=version, version_id=version.id, found=None)

    @classmethod
    def of_deployment(cls, deployment: Deployment) -> Self:
        """The package that was submitted, as it was found then."""
        return cls(
            digest=deployment.package_digest, version=None, version_id=deployment.version_id, found=deployment.checks
        )
