"""Everything that people and workers do in the pipeline's random lives, one deed after the other."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.operations.pipeline_facts import Agent, Asked, Package, Version
from tests.operations.pipeline_machine import Retention, check
from tests.operations.pipeline_model import OPEN, Model
from tests.operations.pipeline_people import (
    EVERYBODY,
    REVIEWERS,
    ROLES,
    SUBMITTERS,
    given,
    handed_in,
)
from tests.operations.pipeline_workers import Workers
from tests.operations.review_world import approve, reject
from windtunnel.domain.agents import VersionState as V
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.operations.withdraw_deployment import withdraw_deployment

T = TypeVar("T")
REASON = "It answers in the wrong language."
PAUSES = [11, 11, 11, 61, 12 * 3_600, 24 * 3_600, 30 * 86_400]
MOST = 4
"""So many versions are retained here at most: with ten it takes ten deployments to happen (see test_deploy)."""


@dataclass(frozen=True)
class Drawn:
    """All that a deed may need: which agent, which of several things, who, how it ends, and one lot more."""

    agent: int
    which: int
    who: int
    mood: str
    lot: int

    def one_of(self, names: Sequence[str]) -> str:
        return names[self.who % len(names)]


class Deeds:
    """What is done to the deployments of two agents, by the real operations, and to the model of them."""

    runner: asyncio.Runner
    services: Services
    people: dict[str, Viewer]
    key: Ed25519PrivateKey
    retention: Retention
    model = Model(set())
    went_wrong = False
    workers: Workers
    made: dict[str, list[Package]]

    def submit(self, drawn: Drawn) -> None:
        """A package with a number of its own; or one that was handed in before, or another of its number."""
        into = self.model.agents[drawn.agent]
        made, who, owner = self.made[into.id], drawn.one_of(SUBMITTERS), ["dan", "ray"][drawn.lot % 2]
        again = drawn.which // 4 if drawn.which % 4 == 3 else None
        if again is None or not made:
            self.hand_in(into, who, owner, f"1.{len(made)}.0", restricted=False)
        elif again % 3 == 0:
            self.hand_in(into, who, owner, made[again % len(made)].version.number, restricted=True)
        else:
            self._upload(into, made[again % len(made)])  # again, since what is pruned has no bytes any more
        self.ask(into, who, made[-1] if again is None or again % 3 == 0 else made[again % len(made)])

    def vote(self, drawn: Drawn) -> None:
        if asked := self._one(drawn.which, S.IN_REVIEW):
            self.cast(drawn.one_of([*EVERYBODY, *REVIEWERS, *REVIEWERS]), asked, right=drawn.lot % 6 > 0)

    def reject(self, drawn: Drawn) -> None:
        if asked := self._one(drawn.which, S.IN_REVIEW):
            deployment, who = self._stub(asked), drawn.one_of(EVERYBODY)
            self._compare(self.model.reject(who, asked), reject(self.services, self.people[who], deployment))

    def withdraw(self, drawn: Drawn) -> None:
        if asked := self._one(drawn.which, *OPEN):
            who = drawn.one_of(EVERYBODY)
            withdrawn = self.model.withdraw(asked, entitled=who in {asked.by, "ada"})
            self._compare(withdrawn, withdraw_deployment(self.services, self.people[who], asked.id))

    def retry(self, drawn: Drawn) -> None:
        if asked := self._one(drawn.which, S.DEPLOY_FAILED):
            self.try_again(asked)

    def change_role(self, drawn: Drawn) -> None:
        """Somebody stops being a reviewer, or is one again."""
        who = drawn.one_of(REVIEWERS)
        self.model.reviewers ^= {who}
        taken = set() if who in self.model.reviewers else {Role.SECURITY_REVIEWER}
        self.run(given(self.services, self.people[who], set(ROLES[who]) - taken))

    def work(self, drawn: Drawn) -> None:
        self.run(self.workers.work(drawn.mood))

    def restore(self, drawn: Drawn) -> None:
        self.run(self.workers.restore(drawn.mood))

    def wake(self, drawn: Drawn) -> None:
        self.run(self.workers.wake("ill" if drawn.mood == "ill" else "well"))

    def time_passes(self, drawn: Drawn) -> None:
        self.turn(timedelta(seconds=PAUSES[drawn.lot % len(PAUSES)]))

    def sweep(self, _: Drawn) -> None:
        self.run(self.workers.sweep())

    def roll_back(self, drawn: Drawn) -> None:
        of = self.model.agents[drawn.agent]
        wanted = of.versions[drawn.which % len(of.versions)] if drawn.lot % 2 and of.versions else None
        target = self.run(self.workers.version_id(of, wanted)) if wanted else None
        done = rollback_deployment(self.services, self.people["omar"], RollbackRequest(of.id, REASON, target))
        self._compare(self.model.roll_back(of, wanted), done)

    def lift(self, drawn: Drawn) -> None:
        of = self.model.agents[drawn.agent]
        self._compare(self.model.lift(of), release_hold(self.services, self.people["omar"], of.id, REASON))

    def release(self, drawn: Drawn) -> None:
        of, who = self.model.agents[drawn.agent], drawn.one_of(["omar", "rita", "ray"])
        if not (away := of.away()):
            return
        version = away[drawn.which % len(away)]
        assert version.by
        done = release_quarantine(
            self.services, self.people[who], self.run(self.workers.version_id(of, version)), REASON
        )
        may = who in self.model.reviewers - version.by.parties
        if may:
            version.state = V.STANDBY
        self._compare(may, done)

    def prune(self, drawn: Drawn) -> None:
        """As it happens when something goes live, at any other time, and down to fewer versions."""
        of, keep = self.model.agents[drawn.agent], drawn.lot % self.model.keep + 1
        self.retention.keep = keep
        self.run(self.workers.prune(of, keep))
        self.retention.keep = self.model.keep

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        self.went_wrong = True
        result = self.runner.run(doing)
        self.went_wrong = False
        return result

    async def sound(self) -> None:
        await check(self.services, self.model, self.people)

    def turn(self, by: timedelta) -> None:
        self.model.now += by
        self.services.store.clock_offset += by

    def try_again(self, asked: Asked) -> None:
        self._compare(self.model.retry(asked), retry_deployment(self.services, self.people["omar"], asked.id))

    def _one(self, which: int, *preferred: S) -> Asked | None:
        """One of the deployments, rather one that has a preferred status."""
        everything = list(self.model.all())
        of = [asked for asked in everything if asked.status in preferred] if which % 8 else []
        of = of or everything
        return of[which % len(of)] if of else None

    def _stub(self, asked: Asked) -> Deployment:
        return self.run(self.workers.stored(asked))

    def hand_in(self, into: Agent, who: str, owner: str, number: str, *, restricted: bool) -> None:
        made = Package(Version("", number), who, owner, restricted, len(self.made[into.id]))
        made.version.digest = self._upload(into, made)
        self.made[into.id].append(made)

    def _upload(self, into: Agent, made: Package) -> str:
        viewer, key = self.people[made.by], self.key if made.restricted else None
        number = made.version.number
        return self.run(handed_in(self.services, viewer, into.slug, number, made.owner, key, made.nonce))

    def ask(self, into: Agent, who: str, made: Package) -> Asked:
        request = SubmitRequest(into.id, made.version.digest)
        deployment = self.run(submit_deployment(self.services, self.people[who], request))
        parties = frozenset({who, made.by, made.owner})
        asked = self.model.submit(deployment.id, into, made.version, who, parties, 2 if made.restricted else 1)
        self.run(self.sound())
        return asked

    def cast(self, who: str, asked: Asked, *, right: bool = True) -> None:
        digest = asked.version.digest if right else "0" * 64
        done = approve(self.services, self.people[who], self._stub(asked), reviewed_digest=digest)
        self._compare(self.model.vote(who, asked, right=right), done)

    def _compare(self, expected: bool, doing: Coroutine[Any, Any, Any]) -> None:
        """The model's answer is that of the product; whatever else is raised is a defect."""
        refused: WindtunnelError | None = None
        try:
            self.run(doing)
        except WindtunnelError as error:
            refused = error
        self.went_wrong = (refused is None) is not expected
        assert not self.went_wrong, refused
        self.run(self.sound())
