"""Collects what a planner reports."""

from windtunnel.domain.events import StepStatus
from windtunnel.domain.planning import PlannerAgent, PlannerStep

IN_ORDER = list(PlannerAgent)


class Steps(list[PlannerStep]):
    """The steps told so far; call it as `on_step`."""

    async def __call__(self, step: PlannerStep) -> None:
        self.append(step)

    def with_status(self, *statuses: StepStatus) -> list[PlannerAgent]:
        """Who reported one of the statuses, in order."""
        return [step.planner for step in self if step.status in statuses]
