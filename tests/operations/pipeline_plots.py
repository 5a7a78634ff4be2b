"""What happens in the pipeline's random lives in several steps, since single ones would hardly ever come together."""

from dataclasses import replace
from datetime import timedelta

from tests.operations.pipeline_deeds import PAUSES, Deeds, Drawn
from tests.operations.pipeline_facts import Asked
from windtunnel.domain.agents import VersionState
from windtunnel.domain.deployments import DeploymentStatus as S


class Plots(Deeds):
    """Deeds that make one story."""

    def ship(self, drawn: Drawn) -> None:
        """All the way to production, as far as nothing is in the way, and whoever deploys it is in the mood."""
        self._approved(self._validated(drawn))
        self.run(self.workers.work(drawn.mood))

    def overtake(self, drawn: Drawn) -> None:
        """One has failed, and whoever deploys another falls asleep: the first one is tried again, and is faster."""
        self.ship(replace(drawn, mood="ill"))
        self.ship(replace(drawn, mood="sleeps"))
        failed = [asked for asked in self.model.agents[drawn.agent].asked if asked.status is S.DEPLOY_FAILED]
        if failed:
            self.try_again(failed[-1])
        self.work(drawn)
        self.wake(replace(drawn, mood="well"))

    def take_over(self, drawn: Drawn) -> None:
        """Somebody sleeps for so long that others go on with what they were doing, and die; then they wake up."""
        self.turn(timedelta(seconds=PAUSES[0]))
        self.run(self.workers.work("dies"))
        self.run(self.workers.restore("dies"))
        self.wake(replace(drawn, mood="well"))

    def hold_under_review(self, drawn: Drawn) -> None:
        """One is under review while what is old is restored, which is not pruned meanwhile, and approved after that."""
        asked, versions = self._validated(drawn), self.model.agents[drawn.agent].versions
        old = [which for which, version in enumerate(versions) if version.state is VersionState.STANDBY]
        self.roll_back(replace(drawn, which=old[0], lot=1) if old else drawn)
        self.prune(replace(drawn, lot=drawn.lot - drawn.lot % self.model.keep))  # down to one
        self.run(self.workers.restore(drawn.mood))
        self._approved(asked)
        self.work(drawn)

    def ask_again(self, drawn: Drawn) -> None:
        """What is under review twice is taken back out of production; then the other request for it is approved."""
        first = self._validated(drawn)
        again = self.ask(first.agent, "dan", self.made[first.agent.id][-1])
        self.run(self.workers.work("well"))
        self._approved(first)
        self.run(self.workers.work("well"))
        self.roll_back(replace(drawn, lot=0))
        self.run(self.workers.restore("well"))
        self._approved(again)
        self.lift(drawn)
        self.run(self.workers.work("well"))

    def _validated(self, drawn: Drawn) -> Asked:
        into, who = self.model.agents[drawn.agent], "dora" if drawn.lot % 4 == 2 else "dan"
        self.hand_in(into, who, "dan", f"1.{len(self.made[into.id])}.0", restricted=drawn.lot % 4 == 1)
        asked = self.ask(into, who, self.made[into.id][-1])
        self.run(self.workers.work("well"))
        return asked

    def _approved(self, asked: Asked) -> None:
        """By whoever may; who has submitted it tries, too."""
        for name in ("dora", "rita", "ray"):
            if asked.status is S.IN_REVIEW:
                self.cast(name, asked)
