"""A told simulation: an architecture, a seed and commands in; events out, step by step and always the same."""

from collections.abc import Callable, Sequence
from typing import Any

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.events import EventDraft, EventKind
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import edges, flows, narration, noticing, operations, stations, telemetry
from windtunnel.simulation.occurrences import arm
from windtunnel.simulation.work import Origin, Step, Task
from windtunnel.simulation.world import Act, World, world_of

TASKS = 3


class Run:
    """One told simulation. A pure function of its arguments and of the steps before which `inject` was called.

    `step` counts the engine steps done, `elapsed_ms` is simulated time, `next_at_ms` the time of the next step
    (None when `over`), and `narrative` the closing words once it is over.
    """

    def __init__(
        self,
        architecture: Architecture,
        seed: int,
        *,
        failures: FailureInjection,
        injected: Sequence[FailureMode] = (),
    ) -> None:
        self.step = 0
        self.over = False
        self.narrative = ""
        self._world = world_of(architecture, seed)
        self._world.cascading = failures is FailureInjection.AUTO
        for place, mode in enumerate(injected):
            task = self._any_task("listed", mode.key, place)
            arm(self._world, mode, certain=True, origin=Origin.ASKED_FOR, from_task=task)
        if failures is FailureInjection.AUTO:
            self._plan_failures()
        self._plan_tasks()
        self._acts: dict[Act, Callable[[World, Any], None]] = {
            Act.TASK_BEGINS: flows.enter,
            Act.WORK_ARRIVES: flows.arrive,
            Act.STEP_QUEUES: _queue,
            Act.OPERATION_ENDS: operations.end_operation,
            Act.STEP_LEAVES: _leave,
            Act.SERVER_FREED: _serve_next,
            Act.FOREIGN_DONE: _foreign_done,
            Act.MESSAGE_RESENT: edges.resend,
        }

    @property
    def elapsed_ms(self) -> float:
        """Simulated milliseconds since the start."""
        return round(self._world.now_ms, 3)

    @property
    def next_at_ms(self) -> float | None:
        """Simulated time of the next step; None when the run is over."""
        return None if self.over else round(self._world.agenda[0][0], 3)

    def advance(self, max_steps: int = 1) -> list[EventDraft]:
        """Do at most so many engine steps and return what happened; a step may tell nothing."""
        for _ in range(max_steps):
            if self.over:
                break
            self._advance()
        drafts, self._world.drafts = self._world.drafts, []
        return drafts

    def inject(self, mode: FailureMode, target: str | None) -> None:
        """Have a failure strike at the next opportunity: at `target` (agent or tool key) or where the mode says.

        Raises ConflictError when the run is over.
        """
        if self.over:
            raise ConflictError("The simulation is over: nothing can be injected any more.", current="SUCCEEDED")
        arm(self._world, mode, certain=True, origin=Origin.ASKED_FOR, target=target)

    def _advance(self) -> None:
        world = self._world
        self.step += 1
        act, subject = world.next()
        if act is Act.RUN_CLOSES:
            if not self._follow_up():
                self._close()
            return
        self._acts[act](world, subject)
        if not world.agenda:
            world.schedule(world.now_ms, Act.RUN_CLOSES)

    def _close(self) -> None:
        world = self._world
        self.narrative = narration.closing(world)
        world.emit(EventKind.NARRATIVE, narration.headline(world), {"text": self.narrative})
        self.over = True

    def _follow_up(self) -> bool:
        """A certain fault that found no opportunity gets a task of its own, straight to an agent it aims at.

        So does a planned one when the run would end without any failure although some were due.
        """
        world = self._world
        owed = next((fault for fault in world.faults if fault.certain or not world.occurrences), None)
        if owed is None:
            return False
        world.faults.remove(owed)
        task = Task(len(world.tasks) + 1, (min(owed.targets),), forced=owed)
        world.tasks.append(task)
        world.schedule(world.now_ms, Act.TASK_BEGINS, task)
        return True

    def _any_task(self, *key: str | int) -> int:
        return self._world.dice.whole(1, TASKS, "when", *key)

    def _plan_failures(self) -> None:
        world, modes = self._world, self._world.architecture.failure_modes
        due = [mode for mode in modes if world.dice.uniform("planned", mode.key) < mode.probability]
        nothing_due = not due
        if nothing_due and modes:
            # A told run shows at least one planned failure: the one that came closest to happening.
            due = [min(modes, key=lambda mode: world.dice.uniform("planned", mode.key) / max(mode.probability, 1e-9))]
        for mode in due:
            task = self._any_task("planned", mode.key)
            arm(world, mode, certain=nothing_due, origin=Origin.PLANNED, from_task=task)

    def _plan_tasks(self) -> None:
        world = self._world
        graph = world.graph
        entries = [graph.index[key] for key in graph.architecture.entry_points if key in graph.index] or [0]
        pace = sorted(agent.service.mean_ms for agent in graph.agents)[len(graph.agents) // 2]
        at = 0.0
        for number in range(1, TASKS + 1):
            own = tuple(entries[number - 1 :: TASKS]) or (entries[(number - 1) % len(entries)],)
            task = Task(number, own)
            world.tasks.append(task)
            world.schedule(round(at, 3), Act.TASK_BEGINS, task)
            at += pace * world.dice.between(0.4, 1.2, "arrival", number)


def _queue(world: World, step: Step) -> None:
    if stations.enter(world, step):
        operations.start_step(world, step)


def _serve_next(world: World, node: int) -> None:
    step = stations.next_waiting(world, node)
    if step is not None:
        operations.start_step(world, step)


def _foreign_done(world: World, node: int) -> None:
    world.stations[node].busy -= 1
    _serve_next(world, node)


def _leave(world: World, step: Step) -> None:
    noticing.look(world, step)
    telemetry.step_ended(world, step)
    stations.release(world, step.node)
    flows.leave(world, step)
    if step.task.ended_ms is not None:
        noticing.unnoticed(world, step.task)
        telemetry.task_ended(world, step.task)
        narration.task_over(world, step.task)
