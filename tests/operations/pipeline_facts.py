"""Agents, versions and deployments as the pipeline's random lives know them: in a few plain words."""

from dataclasses import dataclass, field
from datetime import timedelta

from windtunnel.domain.agents import VersionState as V
from windtunnel.domain.deployments import DeploymentStatus as S


@dataclass(eq=False)
class Version:
    """One package of an agent. `by` is the deployment that brought it live last, as the `release`-th of the agent."""

    digest: str
    number: str
    state: V = V.CANDIDATE
    release: int = 0
    by: "Asked | None" = None


@dataclass(frozen=True)
class Package:
    """What was handed in, and can be again: by whom, in whose name, and which of several it is."""

    version: Version
    by: str
    owner: str
    restricted: bool
    nonce: int


@dataclass(eq=False)
class Asked:
    """One deployment. `order` is its place among all requests; times are those of the model's clock."""

    id: str
    agent: "Agent"
    version: Version
    order: int
    by: str
    parties: frozenset[str]
    quorum: int
    status: S = S.SUBMITTED
    before: S = S.SUBMITTED
    votes: list[str] = field(default_factory=list)
    attempts: int = 0
    decide_by: timedelta = timedelta()
    execute_by: timedelta = timedelta()

    def become(self, status: S) -> None:
        if status is not self.status:
            self.status, self.before = status, self.status


@dataclass(eq=False)
class Agent:
    """What is known of one agent. Requests up to `held` (their order) wait; `target` is what a rollback leads to."""

    id: str
    slug: str
    asked: list[Asked] = field(default_factory=list)
    numbers: dict[str, Version] = field(default_factory=dict)
    held: int | None = None
    live: Asked | None = None
    since: timedelta = timedelta()
    releases: int = 0
    fence: int = 0
    target: Version | None = None
    restore_by: timedelta = timedelta()

    @property
    def versions(self) -> list[Version]:
        return list(self.numbers.values())

    def holds(self, asked: Asked) -> bool:
        return self.held is not None and asked.order <= self.held

    def away(self) -> list[Version]:
        """What a rollback took away, and nobody has released."""
        return [version for version in self.versions if version.state is V.QUARANTINED]

    def known_good(self) -> Version | None:
        """What was live last, of what can be restored."""
        standby = [version for version in self.versions if version.state is V.STANDBY]
        return max(standby, key=lambda version: version.release, default=None)

    def needed(self) -> list[Version]:
        """What is never pruned: what is live, what was live last, and what a rollback leads to."""
        needed = [self.live.version if self.live else None, self.known_good(), self.target]
        return [version for version in needed if version is not None]
