"""How well code is kept in an environment, as it was seen from inside."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import environments
from schema.fields import resolved
from schema.info import Info
from windtunnel.domain.environments import Environment
from windtunnel.domain.isolation import IsolationLevel, ProbeOutcome, ProbeResult


@strawberry.type(description="One attempt to get out, made from inside when the environment was provisioned.")
class IsolationProbe:
    """Shows `isolation.ProbeResult`."""

    name: str = strawberry.field(description="What was tried, e.g. read-production.")
    outcome: ProbeOutcome = strawberry.field(description="What became of it.")
    detail: str | None = strawberry.field(description="What was met, in a sentence.")

    @classmethod
    def of(cls, result: ProbeResult) -> Self:
        """The result as data."""
        return cls(name=result.probe.value, outcome=result.outcome, detail=result.detail or None)


@strawberry.type(description="One thing that can keep code in, or bounds it.")
class IsolationMechanism:
    """Shows an item of `environments.IsolationReport.details`."""

    name: str = strawberry.field(description="Its name, e.g. landlock.")
    detail: str = strawberry.field(description="How it works here, or why it does not.")


@strawberry.type(description="How well code is kept in, as it was found out, never assumed, and tried from inside.")
class Isolation:
    """Shows `environments.IsolationReport`."""

    level: IsolationLevel = strawberry.field(description="How well; LOGICAL, the least, until it is verified.")
    namespace: str = strawberry.field(description="What names everything that belongs to it, and nobody guesses.")
    verified_at: datetime | None = strawberry.field(description="When it was verified; null before.")
    probes: list[IsolationProbe] = strawberry.field(description="The attempts to get out; empty before.")
    mechanisms: list[IsolationMechanism] = strawberry.field(description="What was found on the host; empty before.")
    limits_not_enforced: list[str] = strawberry.field(
        description="Limits that the host cannot hold exactly: who breaks one is ended when it is seen."
    )
    source: strawberry.Private[Environment]

    @resolved("Whether code of packages runs here: below the tenant's minimum there are simulations, but no code.")
    async def allows_code(self, info: Info) -> bool:
        """By the minimum as it is now."""
        return await environments.allows_code(info.context, self.source)

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """The report as data, or what is to be said before there is one."""
        report = environment.isolation
        return cls(
            level=report.level if report else IsolationLevel.LOGICAL,
            namespace=environment.namespace,
            verified_at=report.verified_at if report else None,
            probes=[IsolationProbe.of(result) for result in report.probes] if report else [],
            mechanisms=[
                IsolationMechanism(name=name, detail=detail)
                for name, detail in sorted((report.details if report else {}).items())
            ],
            limits_not_enforced=list(report.not_enforced) if report else [],
            source=environment,
        )
