"""Random lives of the deployments of two agents, by the real operations, compared with a model after every step.

Never two versions live, nothing live without a quorum of other people on its very bytes, every step one of the table's,
and never is a version pruned that is live, pinned, or was live last and can be restored.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.operations.pipeline_deeds import MOST, Drawn
from tests.operations.pipeline_facts import Agent
from tests.operations.pipeline_machine import Fickle, Hasty, Retention
from tests.operations.pipeline_model import OPEN, Model
from tests.operations.pipeline_people import (
    REVIEWERS,
    ROLES,
    everybody,
    given,
    signer_in,
)
from tests.operations.pipeline_plots import Plots
from tests.operations.pipeline_workers import Workers
from tests.operations.pipeline_world import registered
from tests.operations.world import process
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.operations.services import Services
from windtunnel.operations.verify_audit import verify_audit
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.packages.signers import Signers
from windtunnel.storage import releases

EXAMPLES, STEPS = 8, 30
"""So many lives, of so many deeds each, in the six seconds of --fuzz-seconds; more with more of them."""
AGENT, CHOICE = st.integers(0, 1), st.integers(0, 1_000)
MOODS = st.sampled_from(["well", "well", "well", "ill", "dies", "sleeps"])
OVER = {S.INVALID, S.REJECTED, S.EXPIRED, S.WITHDRAWN, S.LAPSED, S.LIVE, S.RETIRED, S.ROLLED_BACK}


class Lives(Plots, RuleBasedStateMachine):
    """Two agents, and all that can happen to their deployments."""

    @initialize(history=st.sampled_from([(0, 0), (1, 1), (2, 1), (MOST, 1)]), keep=st.sampled_from([1, 2, MOST, MOST]))
    def begin(self, history: tuple[int, int], keep: int) -> None:
        self.model = Model(set(REVIEWERS), keep)
        self.retention.keep = keep
        self.workers = Workers(self.services, self.people["ada"].tenant_id, self.model, self.sound)
        self.made = {}
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
            self.turn(timedelta(days=1))
            self.run(self.workers.sweep())
            self.run(self.workers.restore("well"))
            while self.run(self.workers.work("well")):
                pass
        assert {asked.status for asked in self.model.all()} <= OVER


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
    "overtake": (2, ALWAYS),
    "ask_again": (1, _any(lambda agent: agent.live)),
    "hold_under_review": (2, _any(lambda agent: agent.known_good())),
    "take_over": (3, lambda lives: lives.workers.some_sleep),
    "time_passes": (2, ALWAYS),
    "sweep": (1, ALWAYS),
    "roll_back": (4, _any(lambda agent: agent.live)),
    "lift": (3, _any(lambda agent: agent.held is not None)),
    "release": (3, _any(lambda agent: agent.away())),
    "prune": (1, _any(lambda agent: agent.away() or agent.known_good())),
}
"""What is done how often, when it is worth trying, and with what. One rule for all: none is ever left out for good."""


def test_whatever_happens_in_whatever_order(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    Lives.retention = Retention(MOST)
    monkeypatch.setattr(releases, "to_prune", Lives.retention)
    longer = max(1.0, pytestconfig.getoption("--fuzz-seconds") / 6)
    bounds = settings(
        max_examples=round(EXAMPLES * longer),
        stateful_step_count=STEPS if longer == 1 else 2 * STEPS,
        phases=[Phase.generate, *([Phase.shrink] if longer > 1 else [])],  # which takes minutes
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
