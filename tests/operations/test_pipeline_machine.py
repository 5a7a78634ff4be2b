"""Random lives of the deployments of two agents, by the real operations, compared with a model after every step.

Never two versions live, nothing live without a quorum of other people on its very bytes, every step one of the table's,
and never is a version pruned that is live, pinned, or was live last and can be restored.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.operations.pipeline_machine import Fickle, Hasty, check
from tests.operations.pipeline_model import OPEN, Agent, Asked, Model, Version
from tests.operations.pipeline_people import (
    EVERYBODY,
    REVIEWERS,
    ROLES,
    SUBMITTERS,
    everybody,
    given,
    handed_in,
    signer_in,
)
from tests.operations.pipeline_workers import Workers
from tests.operations.pipeline_world import registered
from tests.operations.review_world import approve, reject
from tests.operations.world import process
from windtunnel.domain.agents import VersionState as V
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.domain.retention import to_prune
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.operations.verify_audit import verify_audit
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.packages.signers import Signers
from windtunnel.storage import releases

T = TypeVar("T")
MOST = 4
"""So many versions are retained here: what happens with ten takes ten deployments to happen (see test_deploy)."""
EXAMPLES, STEPS = 8, 30
"""So many lives, of so many deeds each, in the six seconds of --fuzz-seconds; more with more of them."""
REASON = "It answers in the wrong language."
AGENT, CHOICE = st.integers(0, 1), st.integers(0, 1_000)
MOODS = st.sampled_from(["well", "well", "well", "ill", "dies", "sleeps"])
PAUSES = [11, 11, 11, 61, 12 * 3_600, 24 * 3_600, 30 * 86_400]
OVER = {S.INVALID, S.REJECTED, S.EXPIRED, S.WITHDRAWN, S.LAPSED, S.LIVE, S.RETIRED, S.ROLLED_BACK}


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


class Lives(RuleBasedStateMachine):
    """Two agents, and all that can happen to their deployments."""

    runner: asyncio.Runner
    services: Services
    people: dict[str, Viewer]
    key: Ed25519PrivateKey
    model = Model(set())
    went_wrong = False

    @initialize(history=st.sampled_from([(0, 0), (1, 1), (2, 1), (MOST, 1)]))
    def begin(self, history: tuple[int, int]) -> None:
        self.model = Model(set(REVIEWERS))
        self.workers = Workers(self.services, self.people["ada"].tenant_id, self.model, self._sound)
        self.made: dict[str, list[tuple[Version, frozenset[str], int]]] = {}
        for name in REVIEWERS:
            self.run(given(self.services, self.people[name], ROLES[name]))
        for _ in range(2):
            found = self.run(registered(self.services, self.people["ada"], f"agent-{new_id()[-12:]}"))
            self.model.agents.append(Agent(found.id, found.slug))
            self.made[found.id] = []
        for agent, versions in enumerate(history):
            for _ in range(versions):
                self.ship(Drawn(agent, 0, 0, "well", 0))

    @rule(deed=CHOICE, agent=AGENT, which=CHOICE, who=CHOICE, mood=MOODS, lot=CHOICE)
    def something(self, deed: int, agent: int, which: int, who: int, mood: str, lot: int) -> None:  # noqa: PLR0917
        """Any of what is worth trying now; all is drawn that any may need, so that nothing depends on the clock."""
        names = [name for name, (often, is_worth_it) in DEEDS.items() if is_worth_it(self) for _ in range(often)]
        name = names[deed % len(names)]
        note(name)
        getattr(self, name)(Drawn(agent, which, who, mood, lot))

    def submit(self, drawn: Drawn) -> None:
        """A package with a number of its own; or one that was handed in before, or another of its number."""
        into = self.model.agents[drawn.agent]
        made, who, owner = self.made[into.id], drawn.one_of(SUBMITTERS), ["dan", "ray"][drawn.lot % 2]
        again = drawn.which // 4 if drawn.which % 4 == 3 else None
        if again is None or not made:
            self._hand_in(into, who, owner, f"1.{len(made)}.0", restricted=False)
        elif again % 3 == 0:
            self._hand_in(into, who, owner, made[again % len(made)][0].number, restricted=True)
        self._submit(into, who, len(made) - 1 if again is None or again % 3 == 0 else again % len(made))

    def ship(self, drawn: Drawn) -> None:
        """All the way to production, as far as nothing is in the way, and whoever deploys it is in the mood."""
        into = self.model.agents[drawn.agent]
        self._hand_in(into, "dan", "dan", f"1.{len(self.made[into.id])}.0", restricted=drawn.lot % 4 == 1)
        asked = self._submit(into, "dan", -1)
        self.run(self.workers.work("well"))
        for name in ("rita", "dora"):
            if asked.status is S.IN_REVIEW:
                self._vote(name, asked)
        self.run(self.workers.work(drawn.mood))

    def vote(self, drawn: Drawn) -> None:
        if asked := self._one(drawn.which, S.IN_REVIEW):
            self._vote(drawn.one_of([*EVERYBODY, *REVIEWERS, *REVIEWERS]), asked, right=drawn.lot % 6 > 0)

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
            self._compare(self.model.retry(asked), retry_deployment(self.services, self.people["omar"], asked.id))

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
        self._turn(timedelta(seconds=PAUSES[drawn.lot % len(PAUSES)]))

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

    def teardown(self) -> None:
        """When nobody does anything any more, everything comes to its end."""
        if not hasattr(self, "workers"):
            return
        if self.went_wrong:
            for asked in self.model.all():
                with suppress(WindtunnelError):
                    self.runner.run(withdraw_deployment(self.services, self.people["ada"], asked.id))
            return
        self.run(self.workers.wake("well"))
        for _ in range(3):
            self._turn(timedelta(days=1))
            self.run(self.workers.sweep())
            self.run(self.workers.restore("well"))
            while self.run(self.workers.work("well")):
                pass
        assert {asked.status for asked in self.model.all()} <= OVER

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        self.went_wrong = True
        result = self.runner.run(doing)
        self.went_wrong = False
        return result

    async def _sound(self) -> None:
        await check(self.services, self.model, self.people, MOST)

    def _turn(self, by: timedelta) -> None:
        self.model.now += by
        self.services.store.clock_offset += by

    def _one(self, which: int, *preferred: S) -> Asked | None:
        """One of the deployments, rather one that has a preferred status."""
        everything = list(self.model.all())
        of = [asked for asked in everything if asked.status in preferred] if which % 8 else []
        of = of or everything
        return of[which % len(of)] if of else None

    def _stub(self, asked: Asked) -> Deployment:
        return self.run(self.workers.stored(asked))

    def _hand_in(self, into: Agent, who: str, owner: str, number: str, *, restricted: bool) -> None:
        made = self.made[into.id]
        key = self.key if restricted else None
        viewer = self.people[who]
        digest = self.run(handed_in(self.services, viewer, into.slug, number, owner, key, len(made)))
        made.append((Version(digest, number), frozenset({who, owner}), 2 if restricted else 1))

    def _submit(self, into: Agent, who: str, which: int) -> Asked:
        version, parties, quorum = self.made[into.id][which]
        deployment = self.run(
            submit_deployment(self.services, self.people[who], SubmitRequest(into.id, version.digest))
        )
        asked = self.model.submit(deployment.id, into, version, who, parties | {who}, quorum)
        self.run(self._sound())
        return asked

    def _vote(self, who: str, asked: Asked, *, right: bool = True) -> None:
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
        self.run(self._sound())


def _some(*statuses: S) -> Callable[[Lives], bool]:
    return lambda lives: any(asked.status in statuses for asked in lives.model.all())


def _any(agents: Callable[[Agent], object]) -> Callable[[Lives], bool]:
    return lambda lives: any(agents(agent) for agent in lives.model.agents)


ALWAYS = _any(lambda _: True)
DEEDS: dict[str, tuple[int, Callable[[Lives], bool]]] = {
    "submit": (3, ALWAYS),
    "ship": (4, ALWAYS),
    "vote": (4, _some(S.IN_REVIEW)),
    "reject": (1, _some(S.IN_REVIEW)),
    "withdraw": (1, _some(*OPEN)),
    "retry": (3, _some(S.DEPLOY_FAILED)),
    "change_role": (1, ALWAYS),
    "work": (6, _some(S.SUBMITTED, S.VALIDATING, S.APPROVED, S.DEPLOYING)),
    "restore": (6, _any(lambda agent: agent.target)),
    "wake": (2, lambda lives: lives.workers.some_sleep),
    "time_passes": (2, ALWAYS),
    "sweep": (1, ALWAYS),
    "roll_back": (4, _any(lambda agent: agent.live)),
    "lift": (3, _any(lambda agent: agent.held is not None)),
    "release": (3, _any(lambda agent: agent.away())),
}
"""What is done how often, when it is worth trying, and with what. One rule for all: none is ever left out for good."""


def test_whatever_happens_in_whatever_order(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(releases, "to_prune", partial(to_prune, keep=MOST))
    bounds = settings(
        max_examples=round(EXAMPLES * max(1.0, pytestconfig.getoption("--fuzz-seconds") / 6)),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> Services:
            return await stack.enter_async_context(
                process(database_url, target=Fickle(), inspector=Hasty(), signers=Signers(tmp_path))
            )

        Lives.key = signer_in(tmp_path)
        Lives.runner, Lives.services = runner, runner.run(opened())
        Lives.people = runner.run(everybody(Lives.services))
        try:
            run_state_machine_as_test(Lives, settings=bounds)
            verdict = runner.run(verify_audit(Lives.services, Lives.people["ada"]))
            assert verdict.valid
        finally:
            runner.run(stack.aclose())
