"""What becomes of deployments, in a few plain words: a model that the real operations are compared with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from tests.operations.pipeline_facts import Agent, Asked, Version
from windtunnel.domain.agents import VersionState as V
from windtunnel.domain.deployments import DeploymentStatus as S

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WINDOW = timedelta(days=30)
ATTEMPTS = 3
OPEN = frozenset({S.SUBMITTED, S.VALIDATING, S.IN_REVIEW})
RETAINED = frozenset({V.LIVE, V.STANDBY, V.QUARANTINED})


@dataclass(eq=False)
class Model:
    """Everything. `now` is how far the clock was turned, `reviewers` who has the role of one.

    So many versions of an agent as `keep` are retained.
    """

    reviewers: set[str]
    keep: int = 10
    agents: list[Agent] = field(default_factory=list)
    now: timedelta = timedelta()
    requests: int = 0

    def all(self) -> Iterator[Asked]:
        for agent in self.agents:
            yield from agent.asked

    def submit(  # noqa: PLR0917 - read in this order
        self,
        id: str,
        agent: Agent,
        version: Version,
        by: str,
        parties: frozenset[str],
        quorum: int,
    ) -> Asked:
        self.requests += 1
        made = Asked(id, agent, version, self.requests, by, parties, quorum)
        agent.asked.append(made)
        return made

    def validate(self, asked: Asked) -> None:
        version, numbers = asked.version, asked.agent.numbers
        bound = numbers.get(version.number)
        if bound is not None and (bound is not version or bound.state in {V.LIVE, V.QUARANTINED, V.PRUNED}):
            asked.become(S.INVALID)
            return
        numbers[version.number] = version
        asked.decide_by = self.now + DAY
        asked.become(S.IN_REVIEW)

    def vote(self, who: str, asked: Asked, *, right: bool = True) -> bool:
        """Whether the vote is accepted; too late, the review is over. With `right`, it is about the right bytes."""
        if not self._may_decide(who, asked) or not right:
            return False
        asked.votes.append(who)
        if self.counted(asked) >= asked.quorum:
            asked.execute_by = self.now + DAY
            asked.become(S.HELD if asked.agent.holds(asked) else S.APPROVED)
        return True

    def reject(self, who: str, asked: Asked) -> bool:
        if not self._may_decide(who, asked):
            return False
        asked.become(S.REJECTED)
        return True

    def withdraw(self, asked: Asked, *, entitled: bool) -> bool:
        if not entitled or asked.status not in OPEN or self._too_late(asked):
            return False
        asked.become(S.WITHDRAWN)
        return True

    def retry(self, asked: Asked) -> bool:
        if asked.status is not S.DEPLOY_FAILED or asked.attempts >= ATTEMPTS or self.now >= asked.execute_by:
            return False
        if asked.agent.holds(asked):
            return False
        asked.attempts += 1
        asked.become(S.DEPLOYING)
        return True

    def begin(self, asked: Asked) -> bool:
        """Whether an attempt begins."""
        agent = asked.agent
        if agent.holds(asked):
            asked.become(S.HELD)
            return False
        if asked.status is S.APPROVED and any(each.status is S.DEPLOYING for each in agent.asked):
            return False
        if agent.target is not None:
            return False
        agent.fence += 1
        if asked.status is S.APPROVED:
            asked.attempts += 1
            asked.become(S.DEPLOYING)
        return True

    def deployed(self, asked: Asked, *, well: bool) -> None:
        agent, version = asked.agent, asked.version
        if not well or version.state in {V.QUARANTINED, V.PRUNED}:
            asked.become(S.DEPLOY_FAILED)
            return
        if agent.live is not None:
            agent.live.become(S.RETIRED)
            agent.live.version.state = V.STANDBY
        self._goes_live(agent, asked, version)
        self.prune(agent, self.keep)

    def prune(self, agent: Agent, keep: int) -> None:
        """What is too much goes: what was taken away before what can be restored, of each the oldest first."""
        retained = [version for version in agent.versions if version.state in RETAINED]
        going = [version for version in retained if version not in agent.needed()]
        going.sort(key=lambda version: (version.state is not V.QUARANTINED, version.release))
        for version in going[: max(0, len(retained) - keep)]:
            version.state = V.PRUNED

    def roll_back(self, agent: Agent, wanted: Version | None) -> bool:
        """Whether there is a rollback to what is wanted, be it that it runs already."""
        if agent.target is not None:
            return wanted in {None, agent.target}
        target = wanted or agent.known_good()
        if agent.live is None or self.now >= agent.since + WINDOW or target is None or target.state is not V.STANDBY:
            return False
        agent.target, agent.held = target, self.requests
        agent.fence += 1
        agent.restore_by = self.now + MINUTE
        for asked in agent.asked:
            if asked.status in {S.APPROVED, S.DEPLOY_FAILED, S.DEPLOYING}:
                asked.attempts -= asked.status is S.DEPLOYING
                asked.become(S.HELD)
        return True

    def restored(self, agent: Agent) -> None:
        target, agent.target = agent.target, None
        assert agent.live
        assert target
        assert target.by
        agent.live.become(S.ROLLED_BACK)
        agent.live.version.state = V.QUARANTINED
        self._goes_live(agent, target.by, target)

    def lift(self, agent: Agent) -> bool:
        if agent.held is None or agent.target is not None:
            return False
        agent.held = None
        for asked in agent.asked:
            if asked.status is S.HELD and self.now < asked.execute_by:
                asked.become(S.DEPLOY_FAILED if asked.before is S.DEPLOY_FAILED else S.APPROVED)
        return True

    def sweep(self) -> None:
        """What nobody decided, deployed or restored in time is over."""
        for agent in self.agents:
            if self.now >= agent.restore_by:
                agent.target = None
        for asked in self.all():
            self._too_late(asked)
            if asked.status in {S.APPROVED, S.HELD, S.DEPLOY_FAILED} and self.now >= asked.execute_by:
                asked.become(S.LAPSED)

    def counted(self, asked: Asked) -> int:
        """How many others, who are reviewers now, are for it."""
        return len((set(asked.votes) & self.reviewers) - asked.parties)

    def is_approved(self, asked: Asked) -> bool:
        """Whether an attempt finds it so: the approval is good for a day, and those who gave it could give it now."""
        return self.counted(asked) >= asked.quorum and self.now < asked.execute_by

    def _may_decide(self, who: str, asked: Asked) -> bool:
        if who not in self.reviewers or asked.status is not S.IN_REVIEW or self._too_late(asked):
            return False
        return who not in asked.parties and who not in asked.votes

    def _too_late(self, asked: Asked) -> bool:
        if asked.status is S.IN_REVIEW and self.now >= asked.decide_by:
            asked.become(S.EXPIRED)
            return True
        return False

    def _goes_live(self, agent: Agent, asked: Asked, version: Version) -> None:
        agent.releases += 1
        version.state, version.release, version.by = V.LIVE, agent.releases, asked
        agent.live, agent.since = asked, self.now
        asked.become(S.LIVE)
